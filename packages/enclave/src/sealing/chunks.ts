// The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): chunks of 64 KiB, each with a tag; nonce = 7
// random bytes, counter (4, big-endian), last flag (1). The associated data of every chunk is SHA-256 of the header.
// So no chunk can be left out, doubled, moved, or taken from elsewhere, and the end of a stream is known as its end.
import { createHash, type KeyObject } from 'node:crypto'
import { viewOf } from '../bytes.ts'
import { EnclaveError } from '../errors.ts'
import { decrypt, encrypt, macMismatch } from './cipher.ts'
import { CHUNK_SIZE, encodeHeader, NONCE_PREFIX_SIZE, type SealedHeader, TAG_SIZE } from './header.ts'

/** 256 TiB: what the counter has room for. */
const MAX_CHUNKS = 2 ** 32

/** In bytes, of every chunk but the last. */
export const SEALED_CHUNK_SIZE = CHUNK_SIZE + TAG_SIZE

/** Key, nonces and order of the chunks of one stream. */
export class ChunkKeys {
  readonly #key: KeyObject
  readonly #associated: Uint8Array
  readonly #prefix: Uint8Array
  #count: number

  /** `first`: how many chunks there were already. */
  constructor(header: SealedHeader, key: KeyObject, first = 0) {
    this.#count = first
    this.#key = key
    this.#associated = new Uint8Array(createHash('sha256').update(encodeHeader(header)).digest())
    this.#prefix = header.nonce
  }

  /** Ciphertext and tag. @throws {EnclaveError} invalid-parameter */
  seal(plaintext: Uint8Array, isLast: boolean): readonly [Uint8Array, Uint8Array] {
    const sealed = encrypt(this.#key, this.#nonce(isLast), this.#associated, plaintext)
    this.#count++
    return sealed
  }

  /** @throws {EnclaveError} seal-mac-mismatch, seal-truncated, invalid-parameter */
  open(sealed: Uint8Array, isLast: boolean): Uint8Array {
    const plaintext = decrypt(this.#key, this.#nonce(isLast), this.#associated, sealed)
    if (plaintext !== null) {
      this.#count++
      return plaintext
    }
    if (isLast && this.#isInner(sealed)) {
      throw new EnclaveError(
        'seal-truncated',
        `the stream ends after chunk ${this.#count}, which was not its last`,
      )
    }
    throw macMismatch()
  }

  /** Whether it is whole, and not the last: what follows is missing. */
  #isInner(sealed: Uint8Array): boolean {
    return sealed.length === 0 || decrypt(this.#key, this.#nonce(false), this.#associated, sealed) !== null
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

/** All chunks of a stream that is in memory, or nothing of it. @throws {EnclaveError} as {@link ChunkKeys.open} */
export function openChunks(keys: ChunkKeys, sealed: Uint8Array): Uint8Array {
  const count = Math.max(1, Math.ceil(sealed.length / SEALED_CHUNK_SIZE))
  const plaintext = new Uint8Array(Math.max(0, sealed.length - count * TAG_SIZE))
  for (let index = 0; index < count; index++) {
    const chunk = sealed.subarray(index * SEALED_CHUNK_SIZE, (index + 1) * SEALED_CHUNK_SIZE)
    plaintext.set(keys.open(chunk, index === count - 1), index * CHUNK_SIZE)
  }
  return plaintext
}
