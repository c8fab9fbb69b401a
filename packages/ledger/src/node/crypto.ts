// SHA-256 and Ed25519 (RFC 8032) through OpenSSL. Same names and async-compatible signatures as src/web/crypto.ts;
// here the answers come at once.
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'

export function sha256(data: Uint8Array): Uint8Array | Promise<Uint8Array> {
  const digest = hash('sha256', data, 'buffer')
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.byteLength)
}

/** SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410 section 4). */
const ED25519_SPKI_PREFIX = Uint8Array.of(
  0x30,
  0x2a,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x03,
  0x21,
  0x00,
)

function importEd25519(publicKey: Uint8Array): KeyObject {
  return createPublicKey({
    key: Buffer.concat([ED25519_SPKI_PREFIX, publicKey]),
    format: 'der',
    type: 'spki',
  })
}

/** `publicKey` is the raw 32 bytes. */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean | Promise<boolean> {
  return verify(null, message, importEd25519(publicKey), signature)
}
