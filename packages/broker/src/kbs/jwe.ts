// The answer to a guest: a flattened JWE (RFC 7516, 7.2.2; RFC 7518; draft-ietf-jose-pqc-kem-05), A256GCM content.
// Guests parse `protected` and serialise it again to compute the AAD, so its bytes must be theirs: compact JSON,
// `alg`, `enc`, then the other members alphabetically, `epk` as crv, kty, x, y, and not one member more.

import {
  constants,
  createCipheriv,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  hash,
  publicEncrypt,
  randomBytes,
} from 'node:crypto'
// oxlint-disable-next-line import/extensions -- the package exports its files under this name
import { kmac256 } from '@noble/hashes/sha3-addons.js'
import type { TeeKey } from './tee-key.ts'

/** Flattened JSON serialisation; every member is unpadded base64url, but see {@link JweForm}. */
export interface Jwe {
  readonly protected: string
  readonly encrypted_key: string
  readonly iv: string
  readonly ciphertext: string
  readonly tag: string
}

/** `rfc7516`; or what guests of protocol 0.1.1 expect: header as plain JSON, no AAD, tag appended to the ciphertext. */
export type JweForm = 'rfc7516' | 'protocol-0.1.1'

const CEK_BYTES = 32
const IV_BYTES = 12

/** RFC 3394, 2.2.3.1. */
const KEY_WRAP_IV = Buffer.alloc(8, 0xa6)

/** Concat KDF (NIST SP 800-56A, RFC 7518 4.6.2), all but Z: round 1; AlgorithmID, no apu, no apv, 256 bits. */
const CONCAT_KDF_ROUND = uint32(1)
const CONCAT_KDF_INFO = Buffer.concat([prefixed('ECDH-ES+A256KW'), uint32(0), uint32(0), uint32(256)])

/** X of KMAC256: AlgorithmID and SuppPubInfo (192 bits); the draft leaves the parties' infos out. */
const KMAC_INFO = Buffer.concat([prefixed('ML-KEM-768+A192KW'), uint32(192)])

/** Encrypts `plaintext` so that only the holder of the TEE's private key can read it. */
export function encryptToTee(key: TeeKey, plaintext: Uint8Array, form: JweForm): Jwe {
  const random = randomBytes(CEK_BYTES + IV_BYTES)
  const cek = random.subarray(0, CEK_BYTES)
  const iv = random.subarray(CEK_BYTES)
  const { header, encryptedKey } = wrapKey(key, cek)
  const encoded = form === 'rfc7516' ? Buffer.from(header).toString('base64url') : header
  const cipher = createCipheriv('aes-256-gcm', cek, iv)
  if (form === 'rfc7516') cipher.setAAD(Buffer.from(encoded, 'ascii'))
  const body = cipher.update(plaintext)
  cipher.final()
  const tag = cipher.getAuthTag()
  cek.fill(0)
  const detached = form === 'rfc7516'
  return {
    protected: encoded,
    encrypted_key: encryptedKey.toString('base64url'),
    iv: iv.toString('base64url'),
    ciphertext: (detached ? body : Buffer.concat([body, tag])).toString('base64url'),
    tag: detached ? tag.toString('base64url') : '',
  }
}

interface WrappedKey {
  /** The protected header's JSON, in the one byte order that guests accept. */
  readonly header: string
  readonly encryptedKey: Buffer
}

function wrapKey(key: TeeKey, cek: Uint8Array): WrappedKey {
  if (key.alg === 'ECDH-ES+A256KW') return wrapEcdh(key, cek)
  if (key.alg === 'ML-KEM-768+A192KW') return wrapMlKem(key, cek)
  return wrapRsa(key, key.alg, cek)
}

function wrapRsa(key: TeeKey, alg: 'RSA-OAEP-256' | 'RSA1_5', cek: Uint8Array): WrappedKey {
  const padding =
    alg === 'RSA1_5'
      ? { padding: constants.RSA_PKCS1_PADDING }
      : { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
  const encryptedKey = publicEncrypt({ key: key.publicKey, ...padding }, cek)
  return { header: `{"alg":"${alg}","enc":"A256GCM"}`, encryptedKey }
}

function wrapEcdh(key: TeeKey, cek: Uint8Array): WrappedKey {
  const namedCurve = key.crv ?? 'P-256'
  const ephemeral = generateKeyPairSync('ec', { namedCurve })
  const shared = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: key.publicKey })
  const kek = hash('sha256', Buffer.concat([CONCAT_KDF_ROUND, shared, CONCAT_KDF_INFO]), 'buffer')
  shared.fill(0)
  const { crv, x, y } = ephemeral.publicKey.export({ format: 'jwk' })
  const header = `{"alg":"ECDH-ES+A256KW","enc":"A256GCM","epk":{"crv":"${crv}","kty":"EC","x":"${x}","y":"${y}"}}`
  return { header, encryptedKey: aesKeyWrap('id-aes256-wrap', kek, cek) }
}

function wrapMlKem(key: TeeKey, cek: Uint8Array): WrappedKey {
  const { sharedKey, ciphertext } = encapsulate(key.publicKey)
  const kek = Buffer.from(kmac256(sharedKey, KMAC_INFO, { dkLen: 24 }))
  sharedKey.fill(0)
  const header = `{"alg":"ML-KEM-768+A192KW","enc":"A256GCM","ek":"${ciphertext.toString('base64url')}"}`
  return { header, encryptedKey: aesKeyWrap('id-aes192-wrap', kek, cek) }
}

function aesKeyWrap(name: 'id-aes192-wrap' | 'id-aes256-wrap', kek: Buffer, cek: Uint8Array): Buffer {
  const cipher = createCipheriv(name, kek, KEY_WRAP_IV)
  const wrapped = Buffer.concat([cipher.update(cek), cipher.final()])
  kek.fill(0)
  return wrapped
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function prefixed(text: string): Buffer {
  return Buffer.concat([uint32(text.length), Buffer.from(text, 'ascii')])
}
