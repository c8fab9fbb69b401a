// Key pairs of a simulated vendor and how each signs: certificates in DER, quotes and reports as raw r ‖ s.

import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  generateKeyPair as generateKeyPairWithCallback,
  type KeyObject,
  sign,
} from 'node:crypto'
import { promisify } from 'node:util'

const generateKeyPair = promisify(generateKeyPairWithCallback)

/** The SHA-384 digest size, which AMD takes as RSA-PSS salt length. */
export const PSS_SALT_BYTES = 48

/** The bytes before the key bits in an SPKI: constant per curve, and for RSA from 2048 to 4096 bits. */
const SPKI_HEADER_BYTES = { 'P-256': 26, 'P-384': 23, rsa: 24 } as const

/** The algorithm of a key; it decides hash and signature form. */
export type KeyType = keyof typeof SPKI_HEADER_BYTES

/** A private key that knows its kind. */
export interface SigningKey {
  readonly type: KeyType
  readonly privateKey: KeyObject
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
}

function signingKey(type: KeyType, privateKey: KeyObject): SigningKey {
  return { type, privateKey, spki: createPublicKey(privateKey).export({ type: 'spki', format: 'der' }) }
}

export function generateEcKey(type: 'P-256' | 'P-384'): SigningKey {
  return signingKey(type, generateKeyPairSync('ec', { namedCurve: type }).privateKey)
}

/** Off the main thread: an RSA-4096 key takes about a second. */
export async function generateRsaKey(modulusBits: number): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('rsa', { modulusLength: modulusBits })
  return signingKey('rsa', privateKey)
}

/** Base64 PKCS #8: secret, for files of mode 0600 only. */
export function exportKey(key: SigningKey): string {
  return key.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')
}

/** @throws {TypeError} where `pkcs8` is not a base64 PKCS #8 key of that type */
export function importKey(type: KeyType, pkcs8: string): SigningKey {
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey({ key: Buffer.from(pkcs8, 'base64'), type: 'pkcs8', format: 'der' })
  } catch (cause) {
    throw new TypeError('a stored key of the simulated platform is not PKCS #8', { cause })
  }
  return signingKey(type, privateKey)
}

/** The signature of an X.509 structure: ECDSA in DER, or RSA-PSS with SHA-384. */
export function signStructure(key: SigningKey, tbs: Uint8Array): Uint8Array {
  if (key.type !== 'rsa') return sign(hashOf(key), tbs, key.privateKey)
  return sign('sha384', tbs, {
    key: key.privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: PSS_SALT_BYTES,
  })
}

/** ECDSA as r ‖ s, both big-endian and padded. */
export function signRaw(key: SigningKey, data: Uint8Array): Uint8Array {
  return sign(hashOf(key), data, { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
}

function hashOf(key: SigningKey): 'sha256' | 'sha384' {
  return key.type === 'P-256' ? 'sha256' : 'sha384'
}

/** The BIT STRING content of the SPKI: an EC point in uncompressed form, or an RSAPublicKey. */
export function publicKeyBits(key: SigningKey): Uint8Array {
  return key.spki.subarray(SPKI_HEADER_BYTES[key.type])
}

/** x ‖ y of an EC public key. */
export function publicPoint(key: SigningKey): Uint8Array {
  return publicKeyBits(key).subarray(1)
}

/** RFC 5280 4.2.1.2 (1): SHA-1 of the public key bits. */
export function keyIdentifier(key: SigningKey): Uint8Array {
  return createHash('sha1').update(publicKeyBits(key)).digest()
}
