import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import { type AttestedSession, generateTeeKey, type KeyType } from '@casemate/client'
import { GuestTokens } from '../../src/guest/guest-tokens.ts'
import type { Clock } from '../../src/standing/clock.ts'

/** An agent whose results live for a minute, on a clock that stands. */
function make(keyType: KeyType = 'P-256') {
  const time = { ms: 0 }
  const made: AttestedSession[] = []
  const fail: { error: Error | null; attempts: number } = { error: null, attempts: 0 }
  const at = () => ({ wallMs: time.ms, monotonicMs: time.ms })
  const clock: Clock = { at, random: () => 0, wait: async () => undefined }
  const attestForCaller = async () => {
    fail.attempts += 1
    if (fail.error !== null) throw fail.error
    const key = await generateTeeKey(keyType, true)
    const session = {
      token: `token ${made.length}`,
      claims: { iat: 0, exp: 60 },
      key,
      getSecret: async () => new Uint8Array(),
    }
    made.push(session)
    return { session, begunAt: at() }
  }
  return { tokens: new GuestTokens({ attestForCaller }, clock), time, made, fail }
}

test('a token is handed out for half of its life, and then another is made', async () => {
  const { tokens, time } = make()
  assert.equal((await tokens.get()).token, 'token 0')
  time.ms = 29_999
  assert.equal((await tokens.get()).token, 'token 0')
  time.ms = 30_000
  assert.equal((await tokens.get()).token, 'token 1')
})

test('a failure is told for a second to all who ask, and then it is tried again', async () => {
  const { tokens, time, fail } = make()
  fail.error = new Error('no')
  await assert.rejects(tokens.get(), /no/)
  time.ms = 999
  await assert.rejects(tokens.get(), /no/)
  assert.equal(fail.attempts, 1)
  fail.error = null
  time.ms = 1_000
  assert.equal((await tokens.get()).token, 'token 0')
})

test('the key is PKCS#8, and PKCS#1 for RSA, as the tools of Confidential Containers read them', async () => {
  for (const [keyType, label] of [
    ['P-256', 'PRIVATE KEY'],
    ['P-521', 'PRIVATE KEY'],
    ['RSA-2048', 'RSA PRIVATE KEY'],
  ] as const) {
    const { tokens, made } = make(keyType)
    const { pem } = await tokens.get()
    assert.match(pem, new RegExp(`^-----BEGIN ${label}-----\n`))
    const jwk: Record<string, unknown> = { ...createPublicKey(pem).export({ format: 'jwk' }) }
    const bound: Record<string, unknown> = { ...made[0]?.key.publicJwk }
    for (const name of ['x', 'y', 'n']) assert.equal(jwk[name], bound[name])
  }
})
