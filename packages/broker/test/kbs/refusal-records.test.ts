// What is on record of a refusal: its explanation, its evidence within bounds, and a ledger entry that says why.

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, test } from 'node:test'
import { LedgerError } from '@casemate/ledger'
import { RecordedRefusal } from '../../src/attestation/record.ts'
import { countSessionless, recordUnread } from '../../src/attestation/unread.ts'
import { BrokerError } from '../../src/errors.ts'
import type { AttestBody, Guest } from './guest.ts'
import { LENIENT, START } from './harness.ts'
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
    assert.equal((newest.explanation['session'] as { client: string }).client, '127.0.0.1')
  }
})

test('a stored document that cannot be used refuses what depends on it, on record and by its name', async () => {
  const dependsOn = async (): Promise<readonly [number, unknown, string]> => {
    const before = (await broker.entries('attestation.refused')).length
    const answer = await newGuest().handshake()
    if (answer.status === 200) return [200, null, '']
    assert.equal((await broker.entries('attestation.refused')).length, before + 1)
    const { id, code, explanation } = await lastRefusal()
    assert.match(
      answer.body.detail,
      new RegExp(`^stored-document-invalid: no evidence .*\\(attestation ${id}\\)$`),
    )
    return [answer.status, code, (explanation['refusal'] as { message: string }).message]
  }
  const { documents } = broker.context.store
  const erase = (kind: 'policy' | 'reference', name: string) =>
    documents.delete(kind, name, {
      expected: 'any',
      entry: { type: 'policy.deleted', at: START.toISOString(), actor: { system: 'test' } },
    })
  await broker.putDocument('policy', 'other', { since: 'removed' })
  assert.deepEqual(await dependsOn(), [200, null, ''])
  await broker.putDocument('policy', 'default', { since: 'removed' })
  const [status, code, message] = await dependsOn()
  assert.deepEqual([status, code], [500, 'stored-document-invalid'])
  assert.match(message, /^the stored policy default cannot be used: .*since/)
  await broker.putDocument('policy', 'default', LENIENT)
  await broker.putDocument('reference', 'old', { since: 'removed' })
  assert.match((await dependsOn())[2], /^the stored reference old cannot be used: .*since/)
  await erase('reference', 'old')
  const many = (name: string) => ({
    workloads: Array.from({ length: 3000 }, (_, n) => ({
      kind: 'sample',
      name: `${name}-${n}`,
      svn: '1',
      launchDigest: 'any',
      majorVersion: 'any',
      minMinorVersion: 'any',
    })),
  })
  for (const name of ['a', 'b']) await broker.putDocument('reference', name, many(name))
  assert.match((await dependsOn())[2], /^the stored references together cannot be used: .*6000/)
  for (const name of ['a', 'b']) await erase('reference', name)
  assert.deepEqual(await dependsOn(), [200, null, ''])
})

test('a fault of the broker’s own is on record too, and says nothing of itself to the guest', async t => {
  t.mock.method(broker.context.tokenKeys, 'signToken', () => Promise.reject(new Error('of the inside')))
  const answer = await newGuest().handshake()
  const { id, code } = await lastRefusal()
  assert.deepEqual([answer.status, code], [500, 'internal'])
  assert.equal(answer.body.detail, `internal: Plugin internal error (attestation ${id})`)
})

test('what the broker cannot do at the moment is on record as well, as soon as anything can be', async t => {
  const noKey = t.mock.method(broker.context.tokenKeys, 'signToken', () =>
    Promise.reject(new BrokerError('unavailable', 'there is no active token key')),
  )
  const answer = await newGuest().handshake()
  const { id, code } = await lastRefusal()
  assert.deepEqual([answer.status, code], [503, 'unavailable'])
  assert.match(answer.body.detail, new RegExp(`^unavailable: .*\\(attestation ${id}\\)$`))
  noKey.mock.restore()
  const { attestations } = broker.context.store
  const busy = () => Promise.reject(new LedgerError('ledger-busy', 'the queue is full'))
  t.mock.method(attestations, 'insert', busy, { times: 1 })
  assert.equal((await newGuest().handshake()).status, 503)
  assert.notEqual((await lastRefusal()).id, id)
  assert.equal((await lastRefusal()).code, 'unavailable')
})

test('where nothing can be recorded, the guest learns that, and not what it was refused for', async t => {
  const before = await lastRefusal()
  t.mock.method(broker.context.store.attestations, 'insert', () =>
    Promise.reject(new LedgerError('ledger-failed', 'the ledger has failed')),
  )
  const guest = newGuest()
  await guest.auth()
  const answer = await guest.attest(() => '{')
  assert.equal(answer.status, 503)
  assert.equal((await lastRefusal()).id, before.id)
})

test('a verdict is on record because it was recorded, whatever the code of an error says', async () => {
  const unread = { client: '127.0.0.9', challenge: null, kind: 'tdx', protocolVersion: '0.4.0' } as const
  const before = (await broker.entries('attestation.refused')).length
  for (const code of ['evidence-refused', 'appraisal-refused'] as const) {
    const recorded = new RecordedRefusal(code, 'it was recorded', { recorded: {} })
    assert.equal(await recordUnread(broker.context, { ...unread, error: recorded }), null)
    const id = await recordUnread(broker.context, { ...unread, error: new BrokerError(code, 'it was not') })
    assert.equal((await lastRefusal()).id, id)
  }
  assert.equal((await broker.entries('attestation.refused')).length, before + 2)
})

test('what the broker cannot do without a session is no refusal of anybody: it is not counted', async () => {
  const { context } = broker
  await context.counted.flush()
  const before = (await broker.entries('attestation.refused')).length
  countSessionless(context, 'x', new BrokerError('overloaded', 'it is busy'))
  countSessionless(context, 'y', new BrokerError('session-missing', 'no session cookie'))
  await context.counted.flush()
  const counted = (await broker.entries('attestation.refused')).slice(before)
  assert.deepEqual(
    counted.map(({ client }) => client),
    ['y'],
  )
})

test('large evidence is not kept, and the record does not say that it is', async () => {
  await newGuest({ evidence: () => ({ quote: 'A'.repeat(400_000) }) }).handshake()
  const { attestations } = broker.context.store
  const [newest] = (await attestations.list('refused', { limit: 1, after: null })).items
  assert.equal(newest?.evidenceKept, false)
  assert.equal(await attestations.evidence(newest.id), null)
  const entry = (await broker.entries('attestation.refused')).at(-1)
  assert.equal(entry?.['evidenceBytes'], 400_012)
  assert.equal(entry?.['evidenceDigest'], `sha256:${hash('sha256', '{"quote":""}')}`)
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

// Last, as the clock goes on.
test('evidence that would be accepted, but for the near end of what it rests on, is on record', async () => {
  assert.equal((await newGuest().handshake()).status, 200)
  const [newest] = (await broker.context.store.attestations.list('accepted', { limit: 1, after: null })).items
  const end = new Date(newest?.explanation['validUntil'] as string)
  broker.clock = new Date(end.getTime() - 500)
  const answer = await newGuest().handshake()
  assert.equal(answer.status, 401)
  const refusal = await lastRefusal()
  assert.match(answer.body.detail, new RegExp(`^evidence-refused: .*${refusal.id}`))
  assert.equal(refusal.code, 'endorsement-expired')
  assert.equal((refusal.explanation['refusal'] as { got: string }).got, `an end at ${end.toISOString()}`)
  assert.ok(refusal.evidenceKept && refusal.explanation['claims'])
})

test('a refusal that quotes half a character of what was sent is on record as any other', async () => {
  const cutInside = `${'a'.repeat(63)}\u{1f600}`
  for (const name of ['\\ud800', cutInside]) {
    const guest = newGuest()
    await guest.auth()
    const answer = await guest.attest(() => `{"${name}":1,"${name}":2}`)
    const { id, code } = await lastRefusal()
    assert.deepEqual([answer.status, code], [400, 'request-malformed'])
    assert.ok(answer.body.detail.endsWith(`(attestation ${id})`))
  }
})
