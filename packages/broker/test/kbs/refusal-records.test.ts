// What is on record of a refusal: its explanation, its evidence within bounds, and a ledger entry that says why.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { AttestBody, Guest } from './guest.ts'
import { openTdxGuests } from './tdx-guests.ts'

const { broker, close, lastRefusal, newGuest, tdx } = await openTdxGuests()
after(close)

test('a refusal is on record with its explanation, its evidence and a ledger entry that says why', async () => {
  await newGuest({ evidence: () => tdx(Buffer.alloc(64)) }).handshake()
  const [newest] = (await broker.context.store.attestations.list('refused', { limit: 1, after: null })).items
  assert.equal(newest?.code, 'appraisal-refused')
  assert.ok(newest.evidenceKept)
  const entry = (await broker.entries('attestation.refused')).at(-1)
  assert.deepEqual(entry?.['actor'], { attestation: newest.id })
  assert.deepEqual(
    (entry['violations'] as readonly { path: string }[]).map(({ path }) => path),
    ['reportData'],
  )
})

test('every way out of an attestation in a good session is on record, with a ledger entry that says why', async () => {
  const key = (guest: Guest) => ({
    ...(guest.attestBody() as AttestBody),
    'runtime-data': { nonce: guest.nonce, 'tee-pubkey': {} },
  })
  const waysOut: Readonly<Record<string, (guest: Guest) => unknown>> = {
    'device-evidence-unsupported': guest => guest.attestBody('{"nvidia":{}}'),
    'init-data-invalid': guest => ({
      ...(guest.attestBody() as AttestBody),
      'init-data': { format: 'x', body: '' },
    }),
    'tee-key-unsupported': key,
    'nonce-mismatch': guest => ({
      ...(guest.attestBody() as AttestBody),
      'runtime-data': { nonce: 'x', 'tee-pubkey': {} },
    }),
    'request-malformed': () => '{',
    'request-too-complex': () => '['.repeat(100),
    'request-too-large': () => ' '.repeat(3_000_000),
    'evidence-malformed': guest => ({
      ...(guest.attestBody() as AttestBody),
      'tee-evidence': { primary_evidence: {}, additional_evidence: '' },
    }),
  }
  for (const [code, change] of Object.entries(waysOut)) {
    const guest = newGuest()
    await guest.auth()
    const before = (await broker.entries('attestation.refused')).length
    assert.notEqual((await guest.attest(() => change(guest))).status, 200, code)
    const entries = await broker.entries('attestation.refused')
    assert.deepEqual([entries.length, entries.at(-1)?.['code']], [before + 1, code])
    const newest = await lastRefusal()
    assert.equal(newest.code, code)
    assert.equal((newest.explanation['refusal'] as { code: string }).code, code)
  }
})

test('large evidence is not kept, and the record does not say that it is', async () => {
  await newGuest({ evidence: () => ({ quote: 'A'.repeat(400_000) }) }).handshake()
  const { attestations } = broker.context.store
  const [newest] = (await attestations.list('refused', { limit: 1, after: null })).items
  assert.equal(newest?.evidenceKept, false)
  assert.equal(await attestations.evidence(newest.id), null)
  const entry = (await broker.entries('attestation.refused')).at(-1)
  assert.equal(entry?.['evidenceBytes'], 400_012)
  await newGuest({ evidence: () => ({ quote: 'A'.repeat(200_000) }) }).handshake()
  const [small] = (await attestations.list('refused', { limit: 1, after: null })).items
  assert.equal(small?.evidenceKept, true)
})

test('of what a refused guest sent beside its evidence, a digest is kept', async () => {
  await newGuest({ evidence: () => tdx(Buffer.alloc(64)) }).handshake()
  const session = (await lastRefusal()).explanation['session'] as Record<string, unknown>
  assert.deepEqual(Object.keys(session), ['client', 'protocolVersion', 'runtimeDataDigest', 'initDataDigest'])
  assert.match(String(session['runtimeDataDigest']), /^sha256:[0-9a-f]{64}$/)
})
