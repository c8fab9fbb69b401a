// The response JWE against three readers that share no code with it: the guest of the protocol, `jose`, and for
// KMAC256 a value that OpenSSL's command line computed.

import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import test from 'node:test'
// oxlint-disable-next-line import/extensions -- the package exports its files under this name
import { kmac256 as nobleKmac256 } from '@noble/hashes/sha3-addons.js'
import * as jose from 'jose'
import { encryptToTee } from '../../src/kbs/jwe.ts'
import { TeeKeys } from '../../src/kbs/tee-key.ts'
import { GUEST_KEYS, kmac256, openJwe, openLegacy, reserialise } from './guest-jwe.ts'

const keys = new TeeKeys({ allowRsa15: true })
const secret = Buffer.from('the quick brown fox')

for (const [name, make] of Object.entries(GUEST_KEYS)) {
  test(`a guest with a ${name} key opens what was encrypted to it`, () => {
    const guest = make()
    const jwe = encryptToTee(keys.read(guest.jwk), secret, 'rfc7516')
    assert.deepEqual(openJwe({ ...jwe }, guest), secret)
  })

  test(`the protected header for a ${name} key is byte for byte what the guest serialises`, () => {
    const jwe = encryptToTee(keys.read(make().jwk), secret, 'rfc7516')
    const header = Buffer.from(jwe.protected, 'base64url').toString()
    assert.equal(header, reserialise(JSON.parse(header) as Record<string, unknown>))
  })

  test(`another ${name} key does not open it`, () => {
    const jwe = encryptToTee(keys.read(make().jwk), secret, 'rfc7516')
    const other = name.startsWith('RSA') ? GUEST_KEYS['P-256']() : make()
    assert.throws(() => openJwe({ ...jwe }, other))
  })
}

for (const name of ['P-256', 'P-521', 'RSA-OAEP-256'] as const) {
  test(`jose opens what was encrypted to a ${name} key`, async () => {
    const guest = GUEST_KEYS[name]()
    const jwe = encryptToTee(keys.read(guest.jwk), secret, 'rfc7516')
    const opened = await jose.flattenedDecrypt(
      jwe,
      createPrivateKey(guest.privateKey.export({ format: 'pem', type: 'pkcs8' })),
    )
    assert.deepEqual(Buffer.from(opened.plaintext), secret)
    assert.deepEqual(Object.keys(jwe), ['protected', 'encrypted_key', 'iv', 'ciphertext', 'tag'])
  })
}

test('a guest of protocol 0.1.1 opens the form that has a plain header, no AAD and an appended tag', () => {
  const guest = GUEST_KEYS.RSA1_5()
  const jwe = encryptToTee(keys.read(guest.jwk), secret, 'protocol-0.1.1')
  assert.equal(jwe.protected, '{"alg":"RSA1_5","enc":"A256GCM"}')
  assert.equal(jwe.tag, '')
  assert.deepEqual(openLegacy({ ...jwe }, guest), secret)
})

test('an empty secret and one of 1 MiB are encrypted too', () => {
  const guest = GUEST_KEYS['P-256']()
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(1 << 20, 7)]) {
    assert.deepEqual(openJwe({ ...encryptToTee(keys.read(guest.jwk), bytes, 'rfc7516') }, guest), bytes)
  }
})

test('no two answers share content key, IV or ephemeral key', () => {
  const guest = GUEST_KEYS['P-256']()
  const [a, b] = [1, 2].map(() => encryptToTee(keys.read(guest.jwk), secret, 'rfc7516'))
  for (const member of ['protected', 'encrypted_key', 'iv', 'ciphertext', 'tag'] as const) {
    assert.notEqual(a?.[member], b?.[member], member)
  }
})

test('KMAC256 of the library agrees with OpenSSL on the key derivation of ML-KEM-768+A192KW', () => {
  // openssl mac -macopt hexkey:0707…07 -macopt size:24 -in info KMAC-256
  const info = Buffer.from('\0\0\0\x11ML-KEM-768+A192KW\0\0\0\xc0', 'latin1')
  const expected = '20b689ef34f33384bbe3dfe02efd8744c570d14ba4f7324e'
  const key = Buffer.alloc(32, 7)
  assert.equal(Buffer.from(nobleKmac256(key, info, { dkLen: 24 })).toString('hex'), expected)
  assert.equal(kmac256(key, info, 24).toString('hex'), expected)
})
