// Sealed streams of any size in constant memory, as transforms of Node; chunks.ts says what they consist of.
// Plaintext comes out chunk by chunk, each verified; only the end of the stream says that it was whole.
import { Transform, type TransformCallback } from 'node:stream'
import { concat } from '@casemate/evidence/bytes'
import { EnclaveError } from '../errors.ts'
import { newHeader, type SealOptions } from './blob.ts'
import { ChunkKeys, SEALED_CHUNK_SIZE } from './chunks.ts'
import { deriveSealingKey } from './derive.ts'
import {
  CHUNK_SIZE,
  encodeHeader,
  HEADER_SIZE,
  isSealed,
  NONCE_PREFIX_SIZE,
  parseHeader,
  type SealedHeader,
  sizeOfHeader,
} from './header.ts'
import { keyToOpen, type UnsealOptions } from './opening.ts'

/** Plaintext in, a sealed stream out. @throws {EnclaveError} invalid-parameter */
export class SealStream extends Transform {
  readonly #chunker = new Chunker(CHUNK_SIZE)
  readonly #keys: ChunkKeys

  constructor(options: SealOptions) {
    super()
    const header = newHeader('stream', NONCE_PREFIX_SIZE, options)
    this.#keys = new ChunkKeys(header, deriveSealingKey(options.root, options.identity, header))
    this.push(encodeHeader(header))
  }

  override _transform(bytes: Uint8Array, _: BufferEncoding, done: TransformCallback): void {
    attempt(done, () => {
      this.#chunker.feed(bytes, chunk => this.#seal(chunk, false))
    })
  }

  override _flush(done: TransformCallback): void {
    attempt(done, () => {
      this.#seal(this.#chunker.rest(), true)
    })
  }

  #seal(chunk: Uint8Array, isLast: boolean): void {
    for (const piece of this.#keys.seal(chunk, isLast)) this.push(piece)
  }
}

/**
 * A sealed stream in, plaintext out. Do not act on the plaintext before the stream has ended without an error.
 * Fails with the codes of `unseal`.
 */
export class UnsealStream extends Transform {
  readonly #options: UnsealOptions
  readonly #chunker = new Chunker(SEALED_CHUNK_SIZE)
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
      if (this.#keys === null && this.#start.length > 0 && !isSealed(this.#start)) sizeOfHeader(this.#start)
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
    const keys = new ChunkKeys(header, keyToOpen(header, this.#options))
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

/** Cuts what comes into pieces of one size, holding back the last until it is known to be the last. */
class Chunker {
  readonly #held: Uint8Array
  #size = 0

  constructor(size: number) {
    this.#held = new Uint8Array(size)
  }

  feed(bytes: Uint8Array, emit: (chunk: Uint8Array) => void): void {
    const { length } = this.#held
    let at = this.#size === 0 ? 0 : this.#hold(bytes, length - this.#size)
    if (this.#size > 0 && at < bytes.length) {
      emit(this.#held)
      this.#size = 0
    }
    // Whole pieces are cut out where they are; what is left is held, at most one piece.
    for (; bytes.length - at > length; at += length) emit(bytes.subarray(at, at + length))
    if (at < bytes.length) this.#hold(bytes.subarray(at), length)
  }

  rest(): Uint8Array {
    return this.#held.subarray(0, this.#size)
  }

  /** Copies at most so many bytes, and gives how many. */
  #hold(bytes: Uint8Array, room: number): number {
    const part = bytes.subarray(0, room)
    this.#held.set(part, this.#size)
    this.#size += part.length
    return part.length
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
