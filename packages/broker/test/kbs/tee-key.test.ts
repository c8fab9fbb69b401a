import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import test from 'node:test'
import { BrokerError } from '../../src/errors.ts'
import { TeeKeys } from '../../src/kbs/tee-key.ts'
import { GUEST_KEYS } from './guest-jwe.ts'

const keys = new TeeKeys({ allowRsa15: false })
const ec = GUEST_KEYS['P-256']().jwk
const p521 = GUEST_KEYS['P-521']().jwk
const rsa = GUEST_KEYS['RSA-OAEP-256']().jwk
const akp = GUEST_KEYS['ML-KEM-768']().jwk

function refused(jwk: unknown, message: RegExp): void {
  assert.throws(
    () => keys.read(jwk),
    (error: unknown) =>
      error instanceof BrokerError && error.code === 'tee-key-unsupported' && message.test(error.message),
  )
}

const rsaOf = (modulusLength: number, publicExponent = 65537): Record<string, string> => {
  const { n, e } = generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({
    format: 'jwk',
  })
  return { kty: 'RSA', alg: 'RSA-OAEP-256', n: n!, e: e! }
}

test('every kind of key that guests have is read', () => {
  for (const jwk of [ec, p521, rsa, akp]) assert.deepEqual(keys.read(jwk).jwk, jwk)
})

test('the same key is imported once', () => {
  assert.equal(keys.read({ ...ec }), keys.read({ ...ec }))
})

test('a member that the kind of key does not have is refused', () => {
  refused({ ...ec, kid: 'a' }, /member that its kty does not have/)
  refused({ ...ec, d: 'AAAA' }, /member that its kty does not have/)
  refused({ ...rsa, crv: 'P-256' }, /member that its kty does not have/)
  refused(Object.assign(JSON.parse('{"__proto__":1}') as object, ec), /member that its kty does not have/)
})

test('a member that is missing or no string is refused', () => {
  const { y: _, ...withoutY } = ec
  refused(withoutY, /lacks the string member y/)
  refused({ ...rsa, e: 65537 }, /lacks the string member e/)
})

test('what is no key object is refused', () => {
  for (const jwk of [null, undefined, 'EC', 1, [ec], {}]) refused(jwk, /is not a JWK object|kty/)
  refused({ ...ec, kty: 'oct' }, /kty/)
  refused({ ...ec, kty: 'constructor' }, /kty/)
})

test('P-384 and other algorithms are refused', () => {
  refused({ ...ec, crv: 'P-384' }, /crv/)
  refused({ ...ec, alg: 'ECDH-ES' }, /alg/)
  refused({ ...rsa, alg: 'RSA-OAEP' }, /alg/)
  refused({ ...akp, alg: 'ML-KEM-1024+A256KW' }, /alg/)
})

test('RSA1_5 is refused unless the operator asked for it', () => {
  refused({ ...rsa, alg: 'RSA1_5' }, /RSA1_5/)
  assert.equal(new TeeKeys({ allowRsa15: true }).read({ ...rsa, alg: 'RSA1_5' }).alg, 'RSA1_5')
})

test('a point that is not on the curve is refused', () => {
  refused({ ...ec, x: ec['y']!, y: ec['x']! }, /not a valid public key/)
})

test('coordinates of another length, padding and a second spelling are refused', () => {
  refused({ ...ec, x: p521['x']! }, /66 bytes, want 32/)
  refused({ ...ec, x: `${ec['x']}=` }, /base64url/)
  const ends = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = ends[ends.indexOf(ec['x']!.at(-1)!) + 1]!
  refused({ ...ec, x: ec['x']!.slice(0, -1) + last }, /base64url/)
})

test('RSA below 2048 bits, above 4096, or with an exponent other than 65537 is refused', () => {
  refused(rsaOf(1024), /128 bytes, want 256 to 512/)
  refused({ ...rsa, n: Buffer.alloc(513, 0xff).toString('base64url') }, /513 bytes/)
  refused({ ...rsa, e: 'AQ' }, /exponent/)
  refused(rsaOf(2048, 3), /exponent/)
  refused({ ...rsa, n: Buffer.alloc(256, 0x01).toString('base64url') }, /leading zero/)
})

test('an ML-KEM key of the wrong length or with coefficients out of range is refused', () => {
  refused({ ...akp, pub: 'AAAA' }, /3 bytes, want 1184/)
  refused({ ...akp, pub: Buffer.alloc(1184, 0xff).toString('base64url') }, /not a valid public key/)
})
