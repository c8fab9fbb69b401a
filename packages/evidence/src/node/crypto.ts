// `#crypto` in Node: OpenSSL through node:crypto. Calls are synchronous underneath, because a verification costs
// less than a trip to the thread pool.

import { constants, createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import type { SignatureScheme } from '../algorithm.ts'
import { startsWith } from '../bytes.ts'
import { MAX_SPKI_BYTES, type PublicKey, rsaLimitsOf, type SignatureCheck } from '../crypto.ts'
import { derFromP1363, MAX_DER_BYTES, P256_POINT_BYTES, P256_SPKI_PREFIX } from '../ecdsa.ts'

interface Scheme {
  readonly digest: 'sha256' | 'sha384' | 'sha512'
  readonly keyType: 'ec' | 'rsa'
  readonly curve?: string
  /** SubjectPublicKeyInfo of that curve up to x and y: octets that say which curve it is before they are imported. */
  readonly prefix?: Uint8Array
  readonly pss?: true
}

const SCHEMES: Readonly<Record<SignatureScheme, Scheme>> = {
  'ecdsa-sha256': { digest: 'sha256', keyType: 'ec', curve: 'prime256v1', prefix: P256_SPKI_PREFIX },
  'ecdsa-sha384': { digest: 'sha384', keyType: 'ec', curve: 'secp384r1' },
  'rsa-pkcs1-sha256': { digest: 'sha256', keyType: 'rsa' },
  'rsa-pkcs1-sha384': { digest: 'sha384', keyType: 'rsa' },
  'rsa-pkcs1-sha512': { digest: 'sha512', keyType: 'rsa' },
  'rsa3-pkcs1-sha256': { digest: 'sha256', keyType: 'rsa' },
  'rsa-pss-sha384': { digest: 'sha384', keyType: 'rsa', pss: true },
}

/** Written and read within one synchronous call. */
const scratch = new Uint8Array(MAX_DER_BYTES)

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0
}

export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return hash('sha256', bytes, 'buffer')
}

export async function sha384(bytes: Uint8Array): Promise<Uint8Array> {
  return hash('sha384', bytes, 'buffer')
}

export async function sha512(bytes: Uint8Array): Promise<Uint8Array> {
  return hash('sha512', bytes, 'buffer')
}

export async function importKey(spki: Uint8Array, scheme: SignatureScheme): Promise<PublicKey | null> {
  if (spki.length > MAX_SPKI_BYTES) return null
  let handle: KeyObject
  try {
    handle = createPublicKey({ key: spki as Buffer, format: 'der', type: 'spki' })
  } catch {
    return null
  }
  const { keyType, curve, prefix } = SCHEMES[scheme]
  if (prefix && spki.length === prefix.length + P256_POINT_BYTES && startsWith(spki, prefix))
    return { handle }
  if (handle.asymmetricKeyType !== keyType) return null
  if (curve !== undefined && handle.asymmetricKeyDetails?.namedCurve !== curve) return null
  if (keyType === 'rsa' && !isAcceptableRsa(handle, scheme)) return null
  return { handle }
}

function isAcceptableRsa({ asymmetricKeyDetails }: KeyObject, scheme: SignatureScheme): boolean {
  const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails ?? {}
  const limits = rsaLimitsOf(scheme)
  return (
    limits.minModulusBits <= modulusLength &&
    modulusLength <= limits.maxModulusBits &&
    publicExponent === BigInt(limits.publicExponent)
  )
}

export async function verifySignature(key: PublicKey, check: SignatureCheck): Promise<boolean> {
  const { digest, keyType, pss } = SCHEMES[check.scheme]
  const handle = key.handle as KeyObject
  let signature: Uint8Array | null = check.signature
  if (keyType === 'ec' && check.encoding === 'p1363') {
    // OpenSSL reads DER; converting here is cheaper than `dsaEncoding`.
    signature = derFromP1363(signature, scratch)
    if (!signature) return false
  }
  try {
    if (pss) {
      const padding = constants.RSA_PKCS1_PSS_PADDING
      return verify(digest, check.message, { key: handle, padding, saltLength: 48 }, signature)
    }
    return verify(digest, check.message, handle, signature)
  } catch {
    // OpenSSL throws on some signatures that are not even well-formed.
    return false
  }
}
