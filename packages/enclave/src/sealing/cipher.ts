// AES-256-GCM with a tag of 16 bytes, as everything sealed uses it: one message a nonce, opened whole or not at all.
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { concat } from '../bytes.ts'
import { EnclaveError } from '../errors.ts'
import { TAG_SIZE } from './header.ts'

const CIPHER = 'aes-256-gcm'

/** Ciphertext and tag. */
export function encrypt(
  key: KeyObject,
  nonce: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_SIZE }).setAAD(associated)
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

/** Null where the tag is not right. */
export function decrypt(
  key: KeyObject,
  nonce: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | null {
  const size = sealed.length - TAG_SIZE
  if (size < 0) return null
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_SIZE }).setAAD(associated)
  decipher.setAuthTag(sealed.subarray(size))
  const plaintext = decipher.update(sealed.subarray(0, size))
  try {
    decipher.final()
  } catch {
    plaintext.fill(0)
    return null
  }
  return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length)
}

export function macMismatch(): EnclaveError {
  return new EnclaveError('seal-mac-mismatch', 'what is sealed does not open', {
    hint: 'it was changed, or put together from parts of several',
  })
}
