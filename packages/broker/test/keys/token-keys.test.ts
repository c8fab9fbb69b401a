// The keys that sign attestation results: published, rotated with an overlap, verified by another implementation.

import assert from 'node:assert/strict'
import { createPublicKey, sign } from 'node:crypto'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  type JSONWebKeySet,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose'
import { openFileKeyEncryption } from '../../src/keys/file-key-encryption.ts'
import { openStoredKey } from '../../src/keys/stored-key.ts'
import { HOUR, later, MINUTE, openTestBroker, SECOND, type TestBroker } from '../broker.ts'

/** Signs any header with the broker's own key, so that nothing but the header can be what is refused. */
async function resignGenuinely(broker: TestBroker, payload: string) {
  const path = join(broker.dataDir, 'kek.json')
  const kek = await openFileKeyEncryption({ path, passphrase: null, mayCreate: false })
  const [stored] = await broker.context.store.keys.list('token')
  const key = await openStoredKey(stored!, kek)
  return async (header: object) => {
    const input = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}`
    const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
    return `${input}.${signature.toString('base64url')}`
  }
}

describe('token-signing keys', () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
  })
  after(() => broker.close())

  const jwks = async () =>
    (await broker.send('GET', '/.well-known/jwks.json', { token: null })).body as JSONWebKeySet
  const issue = (expiresIn = 5 * MINUTE) =>
    broker.context.tokenKeys.signToken({ sub: 'x', exp: later(broker.clock, expiresIn).getTime() / 1000 })
  const joseAccepts = async (token: string) =>
    jwtVerify(token, createLocalJWKSet(await jwks()), { currentDate: broker.clock, algorithms: ['ES256'] })

  test('a token verifies with jose by the published keys, and kid is the RFC 7638 thumbprint', async () => {
    const { payload, protectedHeader } = await joseAccepts(await issue())
    assert.equal(payload.sub, 'x')
    assert.deepEqual(Object.keys(protectedHeader), ['typ', 'alg', 'kid'])
    const [key] = (await jwks()).keys
    assert.equal(protectedHeader.kid, await calculateJwkThumbprint(key as JWK))
    assert.ok(!('d' in (key ?? {})))
  })

  test('a new key is published first, signs later, and the old one stays for the tokens it signed', async () => {
    const before = (await jwks()).keys.map(({ kid }) => kid)
    await broker.send('POST', '/v1/keys/rotate', { payload: { key: 'signing' } })
    const during = (await jwks()).keys.map(({ kid }) => kid)
    assert.equal(during.length, 2)
    const early = await issue()
    assert.equal((await joseAccepts(early)).protectedHeader.kid, before[0])
    broker.clock = later(broker.clock, 5 * MINUTE - SECOND)
    const last = await issue()
    assert.equal((await joseAccepts(last)).protectedHeader.kid, before[0])
    broker.clock = later(broker.clock, SECOND)
    assert.equal((await joseAccepts(await issue())).protectedHeader.kid, during[1])
    assert.equal((await joseAccepts(last)).protectedHeader.kid, before[0])
    broker.clock = later(broker.clock, 7 * MINUTE)
    await broker.housekeeping.run()
    assert.deepEqual(
      (await jwks()).keys.map(({ kid }) => kid),
      [during[1]],
    )
    assert.equal((await broker.entries('key.retired')).length, 1)
  })

  test('rotations at the same time follow one another: one key is left that does not retire', async () => {
    const rotate = () => broker.send('POST', '/v1/keys/rotate', { payload: { key: 'signing' } })
    const statuses = (await Promise.all([rotate(), rotate()])).map(({ status }) => status)
    assert.deepEqual(statuses, [200, 200])
    const kept = (await broker.context.store.keys.list('token')).filter(({ retiresAt }) => retiresAt === null)
    assert.equal(kept.length, 1)
    broker.clock = later(broker.clock, 12 * MINUTE)
    await broker.housekeeping.run()
    assert.equal((await jwks()).keys.length, 1)
  })

  test('keys outlive the process', async () => {
    const token = await issue(HOUR)
    broker = await broker.reopen()
    assert.equal((await joseAccepts(token)).payload.sub, 'x')
    assert.deepEqual((await broker.context.tokenKeys.verifyToken(token, broker.clock))['sub'], 'x')
  })

  test('rotations without end are refused', async () => {
    const statuses: number[] = []
    for (let n = 0; n < 8; n++) {
      statuses.push((await broker.send('POST', '/v1/keys/rotate', { payload: { key: 'signing' } })).status)
    }
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200, 200, 409])
  })

  const rejected = async (token: string, code = 'attestation-token-invalid') =>
    assert.rejects(broker.context.tokenKeys.verifyToken(token, broker.clock), { code })

  test('a token that was changed, is foreign, or says another algorithm is refused', async () => {
    const token = await issue()
    const [header = '', payload = '', signature = ''] = token.split('.')
    await rejected('')
    await rejected(`${header}.${payload}`)
    await rejected(`${header}.${payload}.${signature}x`)
    const other = Buffer.from(JSON.stringify({ sub: 'y', exp: 9e9 })).toString('base64url')
    await rejected(`${header}.${other}.${signature}`)
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString())
    const resign = (change: object) =>
      `${Buffer.from(JSON.stringify({ typ: 'JWT', alg: 'ES256', kid, ...change })).toString('base64url')}.${payload}.${signature}`
    await rejected(resign({ alg: 'none' }))
    await rejected(resign({ alg: 'HS256' }))
    await rejected(resign({ kid: 'unknown' }))
    await rejected(resign({ kid: undefined }))
    await rejected(resign({ crit: ['b64'] }))
    const genuine = await resignGenuinely(broker, payload)
    assert.ok(await broker.context.tokenKeys.verifyToken(await genuine({ alg: 'ES256', kid }), broker.clock))
    await rejected(await genuine({ alg: 'ES384', kid }))
    await rejected(await genuine({ kid }))
    await rejected(await genuine({ alg: 'ES256', kid, crit: ['b64'] }))
    const key = createPublicKey({ key: (await jwks()).keys[0] as never, format: 'jwk' })
    const hmac = await new SignJWT({ exp: 9e9 })
      .setProtectedHeader({ alg: 'HS256', kid })
      .sign(key.export({ type: 'spki', format: 'der' }))
    await rejected(hmac)
  })

  test('a token counts from nbf to exp only', async () => {
    const { tokenKeys } = broker.context
    const now = broker.clock.getTime() / 1000
    await rejected(await tokenKeys.signToken({ exp: now }), 'attestation-token-expired')
    await rejected(await tokenKeys.signToken({ exp: now + 10, nbf: now + 1 }))
    await rejected(await tokenKeys.signToken({ sub: 'no exp' }))
    assert.ok(
      await tokenKeys.verifyToken(await tokenKeys.signToken({ exp: now + 1, nbf: now }), broker.clock),
    )
  })
})
