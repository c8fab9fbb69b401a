// The TEE's public key (`tee-pubkey`, a JWK) to which secrets are encrypted. Only the members that guests send are
// accepted: the whole object is hashed into the evidence, and an unknown member could mean something elsewhere.

import { createPublicKey, type KeyObject } from 'node:crypto'
import { BoundedMap } from '@casemate/evidence'
import { BrokerError } from '../errors.ts'
import { decodeBase64Url } from './base64.ts'

/** Key management algorithms that a guest may ask for; `RSA1_5` only where the operator turned it on. */
export type TeeKeyAlgorithm = 'ECDH-ES+A256KW' | 'RSA-OAEP-256' | 'RSA1_5' | 'ML-KEM-768+A192KW'

/** The JWK exactly as received: every value is a string. */
export type TeeJwk = Readonly<Record<string, string>>

/** A checked key, imported and ready for use. */
export interface TeeKey {
  readonly alg: TeeKeyAlgorithm
  readonly crv: 'P-256' | 'P-521' | null
  readonly jwk: TeeJwk
  readonly publicKey: KeyObject
}

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  EC: ['kty', 'crv', 'alg', 'x', 'y'],
  RSA: ['kty', 'alg', 'n', 'e'],
  AKP: ['kty', 'alg', 'pub'],
}

/** Bytes of one coordinate. P-384 is in no guest. */
const COORDINATE_BYTES = { 'P-256': 32, 'P-521': 66 } as const

/** RSA moduli below 2048 bits are too weak; above 4096 they no longer fit a session cookie. */
const RSA_MODULUS_BYTES = { min: 256, max: 512 } as const

/** 65537; an exponent of 1 would send the key in the clear. */
const RSA_EXPONENT = 'AQAB'

/** FIPS 203, table 3. */
const ML_KEM_768_PUBLIC_BYTES = 1184

/** SubjectPublicKeyInfo of id-alg-ml-kem-768 up to the key itself; Node 24 has no raw import. */
const ML_KEM_768_SPKI_PREFIX = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex')

/** Keys kept after import, so that the attestation and the fetches after it import once. */
const MAX_IMPORTED_KEYS = 1024

/** What {@link TeeKeys} accepts. */
export interface TeeKeyOptions {
  /** RSA PKCS #1 v1.5 key wrapping, which only guests of protocol 0.1.1 need. */
  readonly allowRsa15: boolean
}

/** Checks and imports TEE keys; remembers a bounded number of them. */
export class TeeKeys {
  readonly #options: TeeKeyOptions
  readonly #imported = new BoundedMap<string, TeeKey>(MAX_IMPORTED_KEYS)

  constructor(options: TeeKeyOptions) {
    this.#options = options
  }

  /** @throws {BrokerError} `tee-key-unsupported` */
  read(jwk: unknown): TeeKey {
    const members = checkMembers(jwk)
    const text = JSON.stringify(members)
    const known = this.#imported.get(text)
    if (known !== undefined) return known
    const key = this.#import(members)
    this.#imported.set(text, key)
    return key
  }

  #import(jwk: TeeJwk): TeeKey {
    try {
      if (jwk['kty'] === 'EC') return importEc(jwk)
      if (jwk['kty'] === 'RSA') return importRsa(jwk, this.#options.allowRsa15)
      return importMlKem(jwk)
    } catch (error) {
      if (error instanceof BrokerError) throw error
      throw refuse('is not a valid public key', error)
    }
  }
}

function checkMembers(jwk: unknown): TeeJwk {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) throw refuse('is not a JWK object')
  const members = jwk as Record<string, unknown>
  const kty = members['kty']
  const wanted = typeof kty === 'string' && Object.hasOwn(MEMBERS, kty) ? MEMBERS[kty] : undefined
  if (wanted === undefined) throw refuse('has a kty other than EC, RSA and AKP')
  for (const name of Object.keys(members)) {
    if (!wanted.includes(name))
      throw refuse(`has a member that its kty does not have; want ${wanted.join(', ')}`)
  }
  for (const name of wanted) {
    if (typeof members[name] !== 'string') throw refuse(`lacks the string member ${name}`)
  }
  return members as TeeJwk
}

function importEc(jwk: TeeJwk): TeeKey {
  const { alg, crv, x = '', y = '' } = jwk
  if (alg !== 'ECDH-ES+A256KW') throw refuse('has an alg other than ECDH-ES+A256KW for EC')
  if (crv !== 'P-256' && crv !== 'P-521') throw refuse('has a crv other than P-256 and P-521')
  const size = COORDINATE_BYTES[crv]
  member(jwk, 'x', { min: size, max: size })
  member(jwk, 'y', { min: size, max: size })
  const publicKey = createPublicKey({ key: { kty: 'EC', crv, x, y }, format: 'jwk' })
  return { alg, crv, jwk, publicKey }
}

function importRsa(jwk: TeeJwk, allowRsa15: boolean): TeeKey {
  const { alg, n = '', e } = jwk
  if (alg === 'RSA1_5' && !allowRsa15) throw refuse('asks for RSA1_5, which is off here; use RSA-OAEP-256')
  if (alg !== 'RSA1_5' && alg !== 'RSA-OAEP-256') throw refuse('has an alg other than RSA-OAEP-256 for RSA')
  const modulus = member(jwk, 'n', RSA_MODULUS_BYTES)
  if (((modulus[0] ?? 0) & 0x80) === 0) throw refuse('has a modulus with leading zero bits')
  if (e !== RSA_EXPONENT) throw refuse('has an RSA exponent other than 65537')
  const publicKey = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' })
  return { alg, crv: null, jwk, publicKey }
}

function importMlKem(jwk: TeeJwk): TeeKey {
  const { alg } = jwk
  if (alg !== 'ML-KEM-768+A192KW') throw refuse('has an alg other than ML-KEM-768+A192KW for AKP')
  const bytes = member(jwk, 'pub', { min: ML_KEM_768_PUBLIC_BYTES, max: ML_KEM_768_PUBLIC_BYTES })
  const key = Buffer.concat([ML_KEM_768_SPKI_PREFIX, bytes])
  return { alg, crv: null, jwk, publicKey: createPublicKey({ key, format: 'der', type: 'spki' }) }
}

function member(
  jwk: TeeJwk,
  name: string,
  bytes: { readonly min: number; readonly max: number },
): Uint8Array {
  const decoded = decodeBase64Url(jwk[name] ?? '')
  if (decoded === null) throw refuse(`member ${name} is not unpadded base64url`)
  if (decoded.length < bytes.min || decoded.length > bytes.max) {
    const want = bytes.min === bytes.max ? `${bytes.min}` : `${bytes.min} to ${bytes.max}`
    throw refuse(`member ${name} is ${decoded.length} bytes, want ${want}`)
  }
  return decoded
}

function refuse(what: string, cause?: unknown): BrokerError {
  return new BrokerError('tee-key-unsupported', `tee-pubkey ${what}`, { cause })
}
