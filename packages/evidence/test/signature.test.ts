// A key is remembered by its octets and its scheme: what was imported once answers for nothing that only looks like it.

import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { importKey } from '../src/node/crypto.ts'
import { checkSignature } from '../src/signature.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
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
    // How many bits at the end are none: with one of them, it is the same key where that bit is 0.
    if (at === 25) continue
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
  const other = generateKeyPairSync('ec', { namedCurve: 'SM2' }).publicKey
  const octets = new Uint8Array(other.export({ type: 'spki', format: 'der' }))
  assert.equal(octets.length, spki.length)
  assert.equal(await importKey(octets, 'ecdsa-sha256'), null)
  assert.notEqual(await importKey(spki, 'ecdsa-sha256'), null)
})
