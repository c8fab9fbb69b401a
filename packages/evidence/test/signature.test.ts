// A key is remembered by its octets and its scheme: what was imported once answers for nothing that only looks like it.
// An object remembers under a few keys, and no more, whether it is signed.

import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { test } from 'node:test'
import { concat } from '../src/bytes.ts'
import { importKey } from '../src/node/crypto.ts'
import { checkSignature, isSignedBy, knownFact } from '../src/signature.ts'

const spkiOf = (key: KeyObject): Uint8Array => new Uint8Array(key.export({ type: 'spki', format: 'der' }))

/** One whose last bit is 0: it is the same key where the BIT STRING leaves that bit out. */
function evenPair(): { readonly privateKey: KeyObject; readonly spki: Uint8Array } {
  for (;;) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const spki = spkiOf(publicKey)
    if (((spki.at(-1) ?? 0) & 1) === 0) return { privateKey, spki }
  }
}

const { privateKey, spki } = evenPair()
const message = Uint8Array.of(1, 2, 3)
const check = {
  scheme: 'ecdsa-sha256',
  encoding: 'der',
  signature: new Uint8Array(sign('sha256', message, privateKey)),
  message,
} as const

test('a key that differs from a known one in any octet is not that key', async () => {
  assert.equal(await checkSignature(spki, check), true)
  for (const at of spki.keys()) {
    const other = spki.with(at, (spki[at] ?? 0) ^ 1)
    assert.equal(await checkSignature(other, check), false, `octet ${at}`)
  }
  assert.equal(await checkSignature(spki, check), true)
})

test('a key that is known under one scheme is not taken under another that is for another curve', async () => {
  const signature = new Uint8Array(sign('sha384', message, privateKey))
  assert.equal(await checkSignature(spki, check), true)
  for (const array of [spki, new Uint8Array(spki)]) {
    assert.equal(await checkSignature(array, { ...check, scheme: 'ecdsa-sha384', signature }), false)
  }
})

test('a key of the length of P-256’s on another curve is not imported for it', async () => {
  const octets = spkiOf(generateKeyPairSync('ec', { namedCurve: 'SM2' }).publicKey)
  assert.equal(octets.length, spki.length)
  assert.equal(await importKey(octets, 'ecdsa-sha256'), null)
  assert.notEqual(await importKey(spki, 'ecdsa-sha256'), null)
})

test('a key has one form: what else OpenSSL takes for it verifies nothing', async () => {
  const inside = spki.subarray(2)
  const others = {
    'an octet behind it': concat(spki, Uint8Array.of(0)),
    'a length that is not in its shortest form': concat(Uint8Array.of(0x30, 0x81, 0x59), inside),
    'an indefinite length': concat(Uint8Array.of(0x30, 0x80), inside, Uint8Array.of(0, 0)),
  }
  assert.equal(await checkSignature(spki, check), true)
  for (const [what, other] of Object.entries(others)) {
    assert.notEqual(await importKey(other, check.scheme), null, what)
    assert.equal(await checkSignature(other, check), false, what)
  }
})

test('an object remembers the keys that it was last tried with, and no more than eight of them', async () => {
  const object = { tbs: message, signature: check.signature, signatureAlgorithm: check.scheme }
  // What is no key is as good as one here: it signed nothing.
  const keys = Array.from({ length: 20 }, (_, index) => Uint8Array.of(index))
  assert.equal(await isSignedBy(object, spki), true)
  for (const [tried, key] of keys.entries()) {
    assert.equal(await isSignedBy(object, key), false)
    const known = keys.slice(0, tried + 1).map(it => knownFact(object, it))
    assert.deepEqual(known.slice(-8), known.slice(-8).fill(false))
    assert.ok(
      known.slice(0, -8).every(fact => fact === undefined),
      `${tried}`,
    )
    assert.equal(knownFact(object, spki), tried < 7 ? true : undefined)
  }
  assert.equal(await isSignedBy(object, spki), true)
})
