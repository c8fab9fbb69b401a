// AES-256-GCM with a tag of 16 bytes, as everything sealed uses it: one message a nonce, opened whole or not at all.
import { createCipheriv, createDecipheriv, type DecipherGCM, type KeyObject } from 'node:crypto'
import { freeBuffer } from '../bytes.ts'
import { EnclaveError } from '../errors.ts'
import { TAG_SIZE } from './header.ts'

const CIPHER = 'aes-256-gcm'

/** En- or decrypted at a time, in bytes: such a piece is still in the processor’s cache when it is put where it belongs. */
const PIECE_SIZE = 65_536

export interface CipherUse {
  readonly key: KeyObject
  readonly nonce: Uint8Array
  readonly associated: Uint8Array
}

/** Ciphertext and tag, as the cipher gives them: to put them together would copy all of it. */
export function encrypt(
  key: KeyObject,
  nonce: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
): readonly [Uint8Array, Uint8Array] {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_SIZE }).setAAD(associated)
  const ciphertext = cipher.update(plaintext)
  cipher.final()
  return [ciphertext, cipher.getAuthTag()]
}

/** Ciphertext and tag, where there is room for exactly these. */
export function encryptInto(
  sealed: Uint8Array,
  plaintext: Uint8Array,
  { key, nonce, associated }: CipherUse,
): void {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_SIZE }).setAAD(associated)
  for (let at = 0; at < plaintext.length; at += PIECE_SIZE) {
    const piece = cipher.update(plaintext.subarray(at, at + PIECE_SIZE))
    sealed.set(piece, at)
    freeBuffer(piece)
  }
  cipher.final()
  sealed.set(cipher.getAuthTag(), plaintext.length)
}

/** Null if the tag is not right. */
export function decrypt(
  key: KeyObject,
  nonce: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | null {
  const size = sealed.length - TAG_SIZE
  if (size < 0) return null
  const decipher = openDecipher({ key, nonce, associated }, sealed.subarray(size))
  const plaintext = decipher.update(sealed.subarray(0, size))
  if (!isGenuine(decipher, plaintext)) return null
  return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length)
}

/** The plaintext, where there is room for exactly it; false, and zero there, where the tag is not right. */
export function decryptInto(plaintext: Uint8Array, sealed: Uint8Array, use: CipherUse): boolean {
  const decipher = openDecipher(use, sealed.subarray(plaintext.length))
  for (let at = 0; at < plaintext.length; at += PIECE_SIZE) {
    const end = Math.min(at + PIECE_SIZE, plaintext.length)
    const piece = decipher.update(sealed.subarray(at, end))
    plaintext.set(piece, at)
    freeBuffer(piece)
  }
  return isGenuine(decipher, plaintext)
}

function openDecipher({ key, nonce, associated }: CipherUse, tag: Uint8Array): DecipherGCM {
  return createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_SIZE }).setAAD(associated).setAuthTag(tag)
}

/** Nobody may see what was decrypted before its tag was found right. */
function isGenuine(decipher: DecipherGCM, plaintext: Uint8Array): boolean {
  try {
    decipher.final()
    return true
  } catch {
    plaintext.fill(0)
    return false
  }
}

export function macMismatch(): EnclaveError {
  return new EnclaveError('seal-mac-mismatch', 'what is sealed does not open', {
    hint: 'it was changed, or put together from parts of several',
  })
}
