// Evidence that nobody verified makes the fetcher ask: for so much per client, and to the harm of no other.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { ParsedEvidence } from '../../src/kinds.ts'
import { parse } from '../../src/parse.ts'
import { unavailable } from './expect-unavailable.ts'
import type { Answer } from './fetch-server.ts'
import { amd, clock, open, REQUEST, service, snp, verifyAt, waits } from './simulated-vendors.ts'

const unknownChip = (): ParsedEvidence => parse(amd.snpReport({ ...REQUEST, chipId: randomBytes(64) }))
const withCertificates = (): ParsedEvidence => parse(amd.snpReport({ ...REQUEST, certificateTable: true }))

/** Whatever chip is asked for, but the platform’s own, gets this. */
function answerUnknownChips(answer: Answer): void {
  service.otherwise = path => (path.startsWith('/vcek/v1/Milan/') ? answer : null)
}

test('a rate limit that made-up chip ids bring about keeps nobody from the revocation list, nor long from a VCEK', async () => {
  answerUnknownChips({ status: 429, headers: { 'Retry-After': '3000' } })
  const fetcher = open()
  const refused = await unavailable(fetcher.fetchFor(unknownChip(), 'attacker'))
  assert.equal(refused.retryAfterMs, 60_000)
  assert.equal((await fetcher.fetchFor(withCertificates(), 'guest')).crls.length, 1)
  assert.equal((await unavailable(fetcher.fetchFor(snp(), 'guest'))).retryAfterMs, 60_000)
  clock.now += 60_000
  await verifyAt(snp(), await fetcher.fetchFor(snp(), 'guest'))
  assert.deepEqual(waits, [])
})

test('a rate limit on what everybody needs is believed for an hour', async () => {
  service.answers['/vcek/v1/Milan/crl'] = { status: 429, headers: { 'Retry-After': '86400' } }
  assert.equal((await unavailable(open().fetchFor(withCertificates(), null))).retryAfterMs, 3_600_000)
})

test('a chip id that the service fails at is left alone, and no other', async () => {
  answerUnknownChips({ status: 500, headers: { 'Retry-After': '30' } })
  const [fetcher, bad] = [open(), unknownChip()]
  assert.equal((await unavailable(fetcher.fetchFor(bad, 'attacker'))).retryAfterMs, 30_000)
  await verifyAt(snp(), await fetcher.fetchFor(snp(), 'guest'))
  const asked = service.asked.length
  await unavailable(fetcher.fetchFor(bad, 'attacker'))
  assert.equal(service.asked.length, asked)
  assert.deepEqual(waits, [])
})

test('what the vendor does not have is not asked for again for ten minutes', async () => {
  const [fetcher, unknown] = [open(), unknownChip()]
  for (let n = 0; n < 3; n++) assert.equal((await fetcher.fetchFor(unknown, 'guest')).certificates.length, 0)
  assert.equal(service.asked.length, 1)
  clock.now += 600_000
  await fetcher.fetchFor(unknown, 'guest')
  assert.equal(service.asked.length, 2)
})

test('unverified evidence has a budget of requests for each client', async () => {
  const fetcher = open()
  for (let n = 0; n < 30; n++) await fetcher.fetchFor(unknownChip(), 'attacker')
  const refused = await unavailable(fetcher.fetchFor(unknownChip(), 'attacker'))
  assert.equal(refused.retryAfterMs, 2000)
  assert.equal(service.asked.length, 30)
  await verifyAt(snp(), await fetcher.fetchFor(snp(), 'guest'))
  // What is at hand costs nothing.
  await fetcher.fetchFor(snp(), 'attacker')
  clock.now += 2000
  await fetcher.fetchFor(unknownChip(), 'attacker')
  await unavailable(fetcher.fetchFor(unknownChip(), 'attacker'))
})

test('all clients together have a budget, and whoever runs the fetcher has none', async () => {
  const fetcher = open()
  for (let n = 0; n < 120; n++) await fetcher.fetchFor(unknownChip(), `client ${n}`)
  await unavailable(fetcher.fetchFor(unknownChip(), 'one more'))
  assert.equal((await fetcher.fetchFor(withCertificates(), 'one more')).crls.length, 1)
  await fetcher.fetchFor(unknownChip(), null)
})
