// Sealed streams of any size in constant memory: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015).
// Chunks of 64 KiB, each with a tag; nonce = 7 random bytes, counter (4, big-endian), last flag (1). The associated data
// of every chunk is SHA-256 of the header. So no chunk can be left out, doubled, moved, or taken from elsewhere.
// Plaintext comes out chunk by chunk, each verified; only the end of the stream says that it was whole.
import { createHash, type KeyObject } from 'node:crypto'
import { Transform, type TransformCallback } from 'node:stream'
import { concat, viewOf } from '../bytes.ts'
import { EnclaveError } from '../errors.ts'
import { decrypt, encrypt, macMismatch, newHeader, type SealOptions, type UnsealOptions } from './blob.ts'
import { deriveSealingKey } from './derive.ts'
import {
  CHUNK_SIZE,
  encodeHeader,
  HEADER_SIZE,
  NONCE_PREFIX_SIZE,
  parseHeader,
  type SealedHeader,
  sizeOfHeader,
  TAG_SIZE,
} from './header.ts'

/** 256 TiB: what the counter has room for. */
const MAX_CHUNKS = 2 ** 32

/** Plaintext in, a sealed stream out. @throws {EnclaveError} invalid-parameter */
export class SealStream extends Transform {
  readonly #chunker = new Chunker(CHUNK_SIZE)
  readonly #keys: ChunkKeys

  constructor(options: SealOptions) {
    super()
    const header = newHeader('stream', NONCE_PREFIX_SIZE, options)
    this.#keys = new ChunkKeys(header, options)
    this.push(encodeHeader(header))
  }

  override _transform(bytes: Uint8Array, _: BufferEncoding, done: TransformCallback): void {
    attempt(done, () => {
      this.#chunker.feed(bytes, chunk => this.push(this.#keys.seal(chunk, false)))
    })
  }

  override _flush(done: TransformCallback): void {
    attempt(done, () => {
      this.push(this.#keys.seal(this.#chunker.rest(), true))
    })
  }
}

/**
 * A sealed stream in, plaintext out. Do not act on the plaintext before the stream has ended without an error.
 * Fails with seal-malformed, seal-svn-too-new, seal-cpu-svn-too-new, seal-mac-mismatch, seal-truncated.
 */
export class UnsealStream extends Transform {
  readonly #options: UnsealOptions
  readonly #chunker = new Chunker(CHUNK_SIZE + TAG_SIZE)
  #start: Uint8Array = new Uint8Array()
  #keys: ChunkKeys | null = null
  #header: SealedHeader | null = null
  #isVerified = false

  constructor(options: UnsealOptions) {
    super()
    this.#options = options
  }

  /** Null until a chunk was verified, and the header with it. */
  get header(): SealedHeader | null {
    return this.#isVerified ? this.#header : null
  }

  override _transform(bytes: Uint8Array, _: BufferEncoding, done: TransformCallback): void {
    attempt(done, () => {
      const { keys, rest } = this.#keys === null ? this.#readHeader(bytes) : { keys: this.#keys, rest: bytes }
      if (keys !== null) this.#chunker.feed(rest, chunk => this.#open(keys, chunk, false))
    })
  }

  override _flush(done: TransformCallback): void {
    attempt(done, () => {
      if (this.#keys === null) throw new EnclaveError('seal-truncated', 'the stream ends within its header')
      this.#open(this.#keys, this.#chunker.rest(), true)
    })
  }

  #readHeader(bytes: Uint8Array): { keys: ChunkKeys | null; rest: Uint8Array } {
    this.#start = concat(this.#start, bytes)
    const none = { keys: null, rest: new Uint8Array() }
    if (this.#start.length < HEADER_SIZE) return none
    const size = sizeOfHeader(this.#start)
    if (this.#start.length < size) return none
    const header = parseHeader(this.#start)
    if (header.form !== 'stream')
      throw new EnclaveError('seal-malformed', 'the bytes are a sealed blob, not a stream')
    const keys = new ChunkKeys(header, this.#options)
    const rest = this.#start.subarray(size)
    this.#header = header
    this.#keys = keys
    this.#start = new Uint8Array()
    return { keys, rest }
  }

  #open(keys: ChunkKeys, chunk: Uint8Array, isLast: boolean): void {
    const plaintext = keys.open(chunk, isLast)
    this.#isVerified = true
    this.push(plaintext)
  }
}

/** Key, nonces and order of the chunks of one stream. */
class ChunkKeys {
  readonly #key: KeyObject
  readonly #associated: Uint8Array
  readonly #prefix: Uint8Array
  #count = 0

  constructor(header: SealedHeader, { root, identity }: UnsealOptions) {
    this.#key = deriveSealingKey(root, identity, header)
    this.#associated = new Uint8Array(createHash('sha256').update(encodeHeader(header)).digest())
    this.#prefix = header.nonce
  }

  seal(plaintext: Uint8Array, isLast: boolean): Uint8Array {
    const sealed = encrypt(this.#key, this.#nonce(isLast), this.#associated, plaintext)
    this.#count++
    return sealed
  }

  open(sealed: Uint8Array, isLast: boolean): Uint8Array {
    const plaintext = decrypt(this.#key, this.#nonce(isLast), this.#associated, sealed)
    if (plaintext !== null) {
      this.#count++
      return plaintext
    }
    const isCut =
      sealed.length === 0 || decrypt(this.#key, this.#nonce(false), this.#associated, sealed) !== null
    if (isLast && isCut) {
      throw new EnclaveError(
        'seal-truncated',
        `the stream ends after chunk ${this.#count}, which was not its last`,
      )
    }
    throw macMismatch()
  }

  #nonce(isLast: boolean): Uint8Array {
    if (this.#count >= MAX_CHUNKS)
      throw new EnclaveError('invalid-parameter', 'the stream is longer than 256 TiB')
    const nonce = this.#prefix.slice()
    viewOf(nonce).setUint32(NONCE_PREFIX_SIZE, this.#count, false)
    nonce[nonce.length - 1] = isLast ? 1 : 0
    return nonce
  }
}

/** Cuts what comes into pieces of one size, holding back the last until it is known to be the last. */
class Chunker {
  readonly #held: Uint8Array
  #size = 0

  constructor(size: number) {
    this.#held = new Uint8Array(size)
  }

  feed(bytes: Uint8Array, emit: (chunk: Uint8Array) => void): void {
    let rest = bytes
    while (rest.length > 0) {
      if (this.#size === this.#held.length) {
        emit(this.#held)
        this.#size = 0
      }
      const part = rest.subarray(0, this.#held.length - this.#size)
      this.#held.set(part, this.#size)
      this.#size += part.length
      rest = rest.subarray(part.length)
    }
  }

  rest(): Uint8Array {
    return this.#held.subarray(0, this.#size)
  }
}

function attempt(done: TransformCallback, work: () => void): void {
  try {
    work()
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)))
    return
  }
  done()
}
