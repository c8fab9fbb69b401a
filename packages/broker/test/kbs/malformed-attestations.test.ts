// Attestations in a shape that the protocol does not have: each is refused by what is wrong with it.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertRefused, type Refused } from './answers.ts'
import { type AttestBody, Guest } from './guest.ts'
import { GUEST_KEYS } from './guest-jwe.ts'
import { openHarness } from './harness.ts'
import { MALFORMED, openTdxGuests } from './tdx-guests.ts'

const KEY: Refused = { status: 401, variant: 'JweError', code: 'tee-key-unsupported' }

const { close, newGuest } = await openTdxGuests()
after(close)

test('what a guest sent in the wrong shape is named in the text that it shows', async () => {
  const guest = newGuest()
  await guest.auth()
  const answer = await guest.attest(body => ({ ...body, 'runtime-data': { nonce: 1 } }))
  assertRefused(answer, MALFORMED)
  assert.match(answer.body.detail, /got \/runtime-data/)
})

test('an attestation that is not what the protocol has is malformed', async () => {
  const guest = newGuest()
  const wrong: readonly ((body: AttestBody) => unknown)[] = [
    () => '{',
    () => ({}),
    body => ({ ...body, 'runtime-data': undefined }),
    body => ({ ...body, 'tee-evidence': undefined }),
    body => ({ ...body, 'tee-evidence': { primary_evidence: {} } }),
    body => ({ ...body, 'init-data': 'toml' }),
  ]
  for (const change of wrong) {
    await guest.auth()
    assertRefused(await guest.attest(change), MALFORMED)
  }
})

test('evidence of an earlier protocol that is neither an object nor JSON in a string is malformed', async () => {
  const guest = newGuest({ version: '0.2.0' })
  for (const evidence of [null, 7, [], '{', undefined]) {
    await guest.auth()
    assertRefused(await guest.attest(body => ({ ...body, 'tee-evidence': evidence })), MALFORMED)
  }
})

test('a key that the protocol does not have is refused', async () => {
  const guest = newGuest()
  for (const jwk of [
    null,
    { ...guest.options.key.jwk, kid: 'x' },
    { ...guest.options.key.jwk, crv: 'P-384' },
  ]) {
    await guest.auth()
    const change = (body: AttestBody): unknown => ({
      ...body,
      'runtime-data': { ...body['runtime-data'], 'tee-pubkey': jwk },
    })
    assertRefused(await guest.attest(change), KEY)
  }
})

test('a body over the limit is refused with a JSON body', async () => {
  const guest = newGuest()
  await guest.auth()
  const answer = await guest.send('POST', '/kbs/v0/attest', 'x'.repeat(3 * 1024 * 1024))
  assertRefused(answer, { status: 413, variant: 'HTTPFailed', code: 'request-too-large' })
})

test('a limit for bodies that is lower than the protocol’s counts for attestations too', async () => {
  const narrow = await openHarness({ platforms: [], flags: { 'body-limit': '64KiB' } })
  const guest = new Guest({ app: narrow.app, key: GUEST_KEYS['P-256'](), tee: 'tdx', evidence: () => ({}) })
  await guest.auth()
  const answer = await guest.send('POST', '/kbs/v0/attest', 'x'.repeat(65 * 1024))
  assertRefused(answer, { status: 413, variant: 'HTTPFailed', code: 'request-too-large' })
  await narrow.close()
})
