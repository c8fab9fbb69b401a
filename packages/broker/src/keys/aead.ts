// AES-256-GCM as everything at rest uses it: nonce (12 bytes, random) ‖ ciphertext ‖ tag (16 bytes), NIST SP 800-38D.
// One key seals far fewer than 2^32 messages: data keys one, session keys a day's, the key-encryption key all wraps.

import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** What sealing adds to the plaintext. */
export const SEAL_OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES

/** @param aad authenticated, not stored: the place that the result belongs to */
export function seal(key: KeyObject, plaintext: Uint8Array, aad: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(aad))
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** @throws Error where key, place or bytes are not those that were sealed */
export function unseal(key: KeyObject, sealed: Uint8Array, aad: string): Uint8Array {
  if (sealed.length < SEAL_OVERHEAD_BYTES)
    throw new Error(`sealed bytes are ${sealed.length}, want at least 28`)
  const end = sealed.length - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(Buffer.from(aad))
  decipher.setAuthTag(sealed.subarray(end))
  const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, end))
  try {
    decipher.final()
  } catch (error) {
    plaintext.fill(0)
    throw error
  }
  return plaintext
}
