// Refusals of what is attested: evidence that is not bound to this session and key, not trusted, or not what a policy wants.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { sgxKbsEvidence, tdxKbsEvidence } from '@casemate/evidence'
import { createIntelPlatform } from '@casemate/simulator'
import { assertRefused } from './answers.ts'
import type { AttestBody } from './guest.ts'
import { GUEST_KEYS } from './guest-jwe.ts'
import { LENIENT, openHarness, START } from './harness.ts'
import { APPRAISAL, EVIDENCE, openTdxGuests } from './tdx-guests.ts'

const { close, intel, lastRefusal, newGuest, tdx } = await openTdxGuests()
after(close)

test('evidence that was replayed into a new session is refused', async () => {
  const guest = newGuest()
  await guest.auth()
  const old = (guest.attestBody() as AttestBody)['tee-evidence']
  await guest.attest()
  await guest.auth()
  assertRefused(await guest.attest(body => ({ ...body, 'tee-evidence': old })), APPRAISAL)
  assert.deepEqual(violatedPaths(await lastRefusal()), ['reportData'])
})

test('a key that was swapped after the evidence was made is refused', async () => {
  const guest = newGuest()
  await guest.auth()
  const { jwk } = GUEST_KEYS['P-256']()
  const swapped = (body: AttestBody): unknown => ({
    ...body,
    'runtime-data': { ...body['runtime-data'], 'tee-pubkey': jwk },
  })
  assertRefused(await guest.attest(swapped), APPRAISAL)
  assert.deepEqual(violatedPaths(await lastRefusal()), ['reportData'])
})

test('evidence that binds another key is refused whatever the policy says of report data', async () => {
  const careless = await openHarness({ platforms: [intel], policy: { ...LENIENT, reportData: 'any' } })
  try {
    const evidence = (): unknown => tdx(Buffer.alloc(64, 7))
    assertRefused(await newGuest({ app: careless.app, evidence }).handshake(), APPRAISAL)
    assert.equal((await newGuest({ app: careless.app }).handshake()).status, 200)
  } finally {
    await careless.close()
  }
})

test('additional evidence that was added after the evidence was made is refused', async () => {
  const guest = newGuest()
  await guest.auth()
  const emptyMap = (body: AttestBody): unknown => ({
    ...body,
    'tee-evidence': { ...body['tee-evidence'], additional_evidence: '{}' },
  })
  assertRefused(await guest.attest(emptyMap), APPRAISAL)
})

test('an empty map of devices is as good as none, where the evidence binds it', async () => {
  const guest = newGuest()
  await guest.auth()
  assert.equal((await guest.attest(() => guest.attestBody('{}'))).status, 200)
})

test('device evidence is refused as not verified here', async () => {
  const padded = `${' '.repeat(100_000)}{}`
  for (const additional of [
    '{"nvidia":{"device_evidence_list":[]}}',
    '[]',
    '1',
    'null',
    '{',
    '{ }',
    padded,
  ]) {
    const guest = newGuest()
    await guest.auth()
    assertRefused(await guest.attest(() => guest.attestBody(additional)), {
      status: 401,
      variant: 'AttestationError',
      code: 'device-evidence-unsupported',
    })
  }
})

test('evidence of another TEE than the session’s is refused', async () => {
  const evidence = (reportData: Buffer): unknown => sgxKbsEvidence(intel.sgxQuote({ reportData }))
  assertRefused(await newGuest({ evidence }).handshake(), EVIDENCE)
  assert.equal((await lastRefusal()).code, 'evidence-malformed')
})

test('evidence that nobody trusted signed is refused', async () => {
  const rogue = await createIntelPlatform({ now: START })
  const evidence = (reportData: Buffer): unknown => tdxKbsEvidence(rogue.tdxQuote({ reportData }))
  assertRefused(await newGuest({ evidence }).handshake(), EVIDENCE)
  const { explanation } = await lastRefusal()
  assert.equal((explanation['refusal'] as { code: string }).code, 'chain-untrusted')
})

test('sample evidence is refused unless the policy names it', async () => {
  const evidence = (_: Buffer, digest: Buffer): unknown => ({
    svn: '1',
    report_data: digest.toString('base64'),
  })
  assertRefused(await newGuest({ tee: 'sample', evidence }).handshake(), APPRAISAL)
  assert.deepEqual(violatedPaths(await lastRefusal()), ['kinds'])
})

test('without a policy the strict one holds, which refuses simulated evidence', async () => {
  const strict = await openHarness({ platforms: [intel], policy: null })
  try {
    assertRefused(await newGuest({ app: strict.app }).handshake(), APPRAISAL)
  } finally {
    await strict.close()
  }
})

test('a guest learns no more than a code from a refusal', async () => {
  const answer = await newGuest({ evidence: () => tdx(Buffer.alloc(64)) }).handshake()
  assert.match(
    answer.body.detail,
    /^appraisal-refused: the evidence is not what the policy wants \(attestation [0-9a-f-]{36}\)$/,
  )
  const garbled = await newGuest({ evidence: () => ({ quote: 'AAAA' }) }).handshake()
  assert.match(
    garbled.body.detail,
    /^evidence-refused: the evidence did not verify \(attestation [0-9a-f-]{36}\)$/,
  )
})

function violatedPaths({
  explanation,
}: {
  explanation: Readonly<Record<string, unknown>>
}): readonly string[] {
  const { violations } = explanation['result'] as { violations: readonly { path: string }[] }
  return violations.map(({ path }) => path)
}
