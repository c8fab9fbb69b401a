// `#crypto` outside Node: WebCrypto, which knows ECDSA signatures only as two fixed-size integers and binds the
// algorithm to a key when it is imported.

import type { SignatureScheme } from '../algorithm.ts'
import { MAX_SPKI_BYTES, type PublicKey, rsaLimitsOf, type SignatureCheck } from '../crypto.ts'
import { p1363FromDer } from '../ecdsa.ts'

interface Scheme {
  readonly key:
    | { name: 'ECDSA'; namedCurve: string }
    | { name: 'RSA-PSS' | 'RSASSA-PKCS1-v1_5'; hash: string }
  readonly verify:
    | { name: 'ECDSA'; hash: string }
    | { name: 'RSA-PSS'; saltLength: number }
    | { name: 'RSASSA-PKCS1-v1_5' }
  /** Bytes of one ECDSA integer. */
  readonly integerBytes?: number
}

const SCHEMES: Readonly<Record<SignatureScheme, Scheme>> = {
  'ecdsa-sha256': {
    key: { name: 'ECDSA', namedCurve: 'P-256' },
    verify: { name: 'ECDSA', hash: 'SHA-256' },
    integerBytes: 32,
  },
  'ecdsa-sha384': {
    key: { name: 'ECDSA', namedCurve: 'P-384' },
    verify: { name: 'ECDSA', hash: 'SHA-384' },
    integerBytes: 48,
  },
  'rsa-pkcs1-sha256': pkcs1('SHA-256'),
  'rsa-pkcs1-sha384': pkcs1('SHA-384'),
  'rsa-pkcs1-sha512': pkcs1('SHA-512'),
  'rsa3-pkcs1-sha256': pkcs1('SHA-256'),
  'rsa-pss-sha384': {
    key: { name: 'RSA-PSS', hash: 'SHA-384' },
    verify: { name: 'RSA-PSS', saltLength: 48 },
  },
}

/** What WebCrypto calls RsaKeyAlgorithm. */
interface RsaAlgorithm {
  readonly modulusLength: number
  /** Big-endian. */
  readonly publicExponent: Uint8Array
}

function pkcs1(hash: string): Scheme {
  return { key: { name: 'RSASSA-PKCS1-v1_5', hash }, verify: { name: 'RSASSA-PKCS1-v1_5' } }
}

/** WebCrypto refuses shared memory; copying also keeps the bytes from changing under it. */
const copy = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)

export { equal as equalBytes } from '../bytes.ts'

async function digest(algorithm: string, bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest(algorithm, copy(bytes)))
}

export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return digest('SHA-256', bytes)
}

export async function sha384(bytes: Uint8Array): Promise<Uint8Array> {
  return digest('SHA-384', bytes)
}

export async function sha512(bytes: Uint8Array): Promise<Uint8Array> {
  return digest('SHA-512', bytes)
}

export async function importKey(spki: Uint8Array, scheme: SignatureScheme): Promise<PublicKey | null> {
  if (spki.length > MAX_SPKI_BYTES) return null
  try {
    const handle = await crypto.subtle.importKey('spki', copy(spki), SCHEMES[scheme].key, true, ['verify'])
    return isAcceptable(handle, scheme) ? { handle } : null
  } catch {
    return null
  }
}

/** RSA keys within the limits, and all others that could be imported. */
function isAcceptable({ algorithm }: CryptoKey, scheme: SignatureScheme): boolean {
  if (!('modulusLength' in algorithm)) return true
  const { modulusLength, publicExponent } = algorithm as typeof algorithm & RsaAlgorithm
  const limits = rsaLimitsOf(scheme)
  const exponent = publicExponent.reduce((sum, octet) => sum * 256 + octet, 0)
  return (
    limits.minModulusBits <= modulusLength &&
    modulusLength <= limits.maxModulusBits &&
    exponent === limits.publicExponent
  )
}

export async function verifySignature(key: PublicKey, check: SignatureCheck): Promise<boolean> {
  const { verify, integerBytes } = SCHEMES[check.scheme]
  let signature: Uint8Array | null = check.signature
  if (integerBytes !== undefined && check.encoding === 'der') {
    signature = p1363FromDer(signature, integerBytes)
    if (!signature) return false
  }
  return crypto.subtle.verify(verify, key.handle as CryptoKey, copy(signature), copy(check.message))
}
