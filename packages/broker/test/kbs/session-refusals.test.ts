// Refusals for the session's sake: cookies, nonces and challenges that are altered, over, replayed or used up.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { entry } from '../../src/entry.ts'
import { assertRefused } from './answers.ts'
import type { AttestBody } from './guest.ts'
import { openHarness, START } from './harness.ts'
import { openTdxGuests, SESSION } from './tdx-guests.ts'

const { broker, close, intel, newGuest } = await openTdxGuests()
after(close)

test('without a session cookie nothing is attested', async () => {
  const guest = newGuest()
  await guest.auth()
  guest.cookie = null
  assertRefused(await guest.attest(), { status: 401, variant: 'AttestationError', code: 'session-missing' })
})

test('a cookie that was altered, cut or made up is refused', async () => {
  const guest = newGuest()
  await guest.auth()
  const [name, value] = guest.cookie!.split('=') as [string, string]
  const flipped = (at: number): string =>
    value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1)
  const forged = ['', 'x', value.slice(0, -4), `${value}AAAA`, 'A'.repeat(200), 'A'.repeat(5000)]
  for (const at of [0, 8, 20, 60, value.length - 6]) forged.push(flipped(at))
  for (const one of forged) {
    guest.cookie = `${name}=${one}`
    assertRefused(await guest.attest(), SESSION)
  }
})

test('a session of a broker with other keys is refused', async () => {
  const other = await openHarness({ platforms: [intel] })
  try {
    const guest = newGuest({ app: other.app })
    await guest.auth()
    const here = newGuest()
    here.cookie = guest.cookie
    here.nonce = guest.nonce
    assertRefused(await here.attest(), SESSION)
  } finally {
    await other.close()
  }
})

test('a session that is over is refused', async () => {
  const other = await openHarness({ platforms: [intel] })
  try {
    const guest = newGuest({ app: other.app })
    await guest.auth()
    other.clock = new Date(START.getTime() + 5 * 60_000)
    assertRefused(await guest.attest(), { status: 401, variant: 'AttestationError', code: 'session-expired' })
  } finally {
    await other.close()
  }
})

test('another nonce than that of the session is refused', async () => {
  const guest = newGuest()
  await guest.auth()
  const stranger = newGuest()
  await stranger.auth()
  guest.nonce = stranger.nonce
  assertRefused(await guest.attest(), { status: 401, variant: 'AttestationError', code: 'nonce-mismatch' })
})

test('a session that was attested is not attested again', async () => {
  const guest = newGuest()
  await guest.handshake()
  assertRefused(await guest.attest(), SESSION)
})

test('a challenge is answered once: cookie and evidence that are replayed are refused', async () => {
  const guest = newGuest()
  await guest.auth()
  const { cookie } = guest
  const body = guest.attestBody() as AttestBody
  assert.equal((await guest.attest(() => body)).status, 200)
  guest.cookie = cookie
  assertRefused(await guest.attest(() => body), SESSION)
})

test('whatever is sent uses the challenge up, also what cannot be read', async () => {
  const unread: readonly ((body: AttestBody) => unknown)[] = [
    () => ({}),
    body => ({ ...body, 'runtime-data': { ...body['runtime-data'], nonce: 'x' } }),
    body => ({ ...body, 'runtime-data': { ...body['runtime-data'], 'tee-pubkey': null } }),
    body => ({ ...body, 'init-data': { format: 'toml', body: 'version = 1' } }),
    body => ({ ...body, 'tee-evidence': { ...body['tee-evidence'], additional_evidence: '[]' } }),
  ]
  for (const change of unread) {
    const guest = newGuest()
    await guest.auth()
    assert.notEqual((await guest.attest(change)).status, 200)
    assertRefused(await guest.attest(), SESSION)
  }
})

test('a challenge that another process answered is not answered here, and not recorded twice', async () => {
  const guest = newGuest()
  await guest.auth()
  const { store, counted } = broker.context
  const challenge = { nonce: guest.nonce, endsAt: new Date(START.getTime() + 5 * 60_000) }
  const row = { id: 'elsewhere', at: START, verdict: 'accepted', kind: 'tdx', code: null } as const
  const record = entry({ type: 'attestation.accepted', at: START, actor: { system: 'elsewhere' } })
  const basis = { challenge, generations: null }
  await store.attestations.insert({ ...row, explanation: {}, evidence: null }, record, basis)
  const before = await store.attestations.list('any', { limit: 100, after: null })
  await counted.flush()
  const countedBefore = (await broker.entries('attestation.refused')).length
  assertRefused(await guest.attest(), SESSION)
  assert.deepEqual(await store.attestations.list('any', { limit: 100, after: null }), before)
  await counted.flush()
  const more = (await broker.entries('attestation.refused')).slice(countedBefore)
  assert.deepEqual(
    more.map(({ code, count }) => [code, count]),
    [['session-invalid', 1]],
  )
})
