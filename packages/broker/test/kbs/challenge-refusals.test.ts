// Refusals before there is a session: what a challenge is not given for, and to whom.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertRefused } from './answers.ts'
import { openHarness } from './harness.ts'
import { MALFORMED, openTdxGuests } from './tdx-guests.ts'

const { close, newGuest } = await openTdxGuests()
after(close)

test('another protocol version is refused, and those that are served are named', async () => {
  for (const version of ['0.3.0', '0.1.0', '1.0.0', 'x']) {
    const answer = await newGuest({ version }).auth()
    assertRefused(answer, { status: 401, variant: 'AttestationError', code: 'protocol-version-unsupported' })
    assert.match(answer.body.detail, /expect one of 0\.4\.0, 0\.2\.0, 0\.1\.1/)
  }
})

test('a TEE that is not verified here is refused at once', async () => {
  for (const tee of ['az-snp-vtpm', 'cca', 'se', 'nvidia', '', 'toString']) {
    const answer = await newGuest({ tee }).auth()
    assertRefused(answer, { status: 401, variant: 'AttestationError', code: 'tee-unsupported' })
  }
})

test('a guest that offers only digests that are not supported is refused', async () => {
  for (const offered of [['sm3'], [], 'sha384', [1]]) {
    const answer = await newGuest({ offered: { 'supported-hash-algorithms': offered } }).auth()
    assertRefused(answer, { status: 401, variant: 'AttestationError', code: 'hash-algorithm-unsupported' })
  }
})

test('a request that is not what the protocol has is malformed', async () => {
  const guest = newGuest()
  for (const body of ['', '{', 'null', '[]', '{}', '{"version":"0.4.0"}', '{"version":4,"tee":"tdx"}']) {
    assertRefused(await guest.send('POST', '/kbs/v0/auth', body), MALFORMED)
  }
  assert.equal(guest.cookie, null)
})

test('the content type of a request does not matter', async () => {
  const body = JSON.stringify({ version: '0.4.0', tee: 'tdx', 'extra-params': '' })
  for (const type of ['text/plain', 'application/octet-stream', 'application/json; charset=utf-8']) {
    const answer = await newGuest().send('POST', '/kbs/v0/auth', body, { 'content-type': type })
    assert.equal(answer.status, 200, type)
  }
})

test('a client that asks for too many challenges has to wait', async () => {
  const limited = await openHarness({ flags: { 'auth-limit': '3' } })
  try {
    const guest = newGuest({ app: limited.app })
    for (let count = 0; count < 3; count++) assert.equal((await guest.auth()).status, 200)
    const answer = await guest.auth()
    assertRefused(answer, { status: 429, variant: 'HTTPFailed', code: 'rate-limited' })
    assert.ok(Number(answer.headers['retry-after']) > 0)
  } finally {
    await limited.close()
  }
})

test('what is not served answers 404 or 405 with a JSON body', async () => {
  const guest = newGuest()
  const missing = { status: 404, variant: 'PluginNotFound', code: 'route-missing' }
  const method = { status: 405, variant: 'HTTPFailed', code: 'method-not-allowed' }
  assertRefused(await guest.send('GET', '/kbs/v0/auth'), method)
  assertRefused(await guest.send('GET', '/kbs/v0/nebula-ca/credential'), missing)
  assertRefused(await guest.send('PUT', '/kbs/v0/resource/a/b/c', '{}'), method)
  assertRefused(await guest.send('GET', '/kbs/v0/resource/%ff/b/c'), { ...MALFORMED })
})
