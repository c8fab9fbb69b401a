// What attestations that were refused may leave behind: a bounded number of rows, bytes and ledger entries, whoever
// sends them and however often.

import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Refusal } from '@casemate/evidence'
import { explainRefusal } from '../../src/attestation/explanation.ts'
import { createPipeline } from '../../src/attestation/pipeline.ts'
import { recordAttestation } from '../../src/attestation/record.ts'
import { CountedEntries } from '../../src/counted-entries.ts'
import { BrokerError } from '../../src/errors.ts'
import type { JsonObject } from '../../src/json.ts'
import { DAY, HOUR, later, openTestBroker, START, type TestBroker } from '../broker.ts'

const NO_BASIS = { challenge: null, generations: null }

/** Sends evidence that is none, as so many clients. */
async function refuse(broker: TestBroker, count: number, clientOf: (n: number) => string): Promise<void> {
  const pipeline = createPipeline(broker.context)
  const primaryEvidence = { quote: 'A'.repeat(100_000) }
  const runtimeData = { nonce: 'x' }
  const session = {
    challenge: null,
    enclaveStatement: null,
    reportData: '',
    initData: null,
    runtimeData,
    protocolVersion: '0.4.0',
  } as const
  for (let n = 0; n < count; n++) {
    await assert.rejects(
      pipeline.attest({ client: clientOf(n), tee: 'tdx', primaryEvidence, ...session }),
      (error: unknown) => error instanceof BrokerError && error.code === 'evidence-refused',
    )
  }
}

async function listRefused(broker: TestBroker) {
  return (await broker.context.store.attestations.list('refused', { limit: 10_000, after: null })).items
}

describe('refused attestations', () => {
  test('of one client are recorded in full sixty times an hour, and then counted', async () => {
    const broker = await openTestBroker()
    await refuse(broker, 1000, () => '192.0.2.1')
    assert.equal((await listRefused(broker)).length, 60)
    await refuse(broker, 1, () => '192.0.2.2')
    assert.equal((await listRefused(broker)).length, 61)
    assert.equal((await broker.entries('attestation.refused')).length, 61)
    await broker.housekeeping.run()
    await broker.housekeeping.run()
    const [counted, ...none] = (await broker.entries('attestation.refused')).slice(61)
    assert.deepEqual(none, [])
    assert.deepEqual(
      { ...counted, at: null },
      {
        type: 'attestation.refused',
        at: null,
        actor: { system: 'attestation' },
        kind: 'tdx',
        code: 'evidence-malformed',
        client: '192.0.2.1',
        count: 940,
      },
    )
    assert.ok(statSync(join(broker.dataDir, 'casemate.db')).size < 20_000_000)
    broker.clock = later(START, HOUR)
    await refuse(broker, 1, () => '192.0.2.1')
    assert.equal((await listRefused(broker)).length, 62)
    await broker.close()
  })

  test('take no more space than their budget, the oldest go first, and the ledger keeps its entries', async () => {
    let broker = await openTestBroker({ flags: { 'refusal-budget': '1MiB' } })
    await refuse(broker, 25, n => `client ${n}`)
    const kept = await listRefused(broker)
    assert.equal(kept.length, 10)
    const entries = await broker.entries('attestation.refused')
    assert.equal(entries.length, 25)
    const newestFirst = entries.toReversed().map(({ actor }) => (actor as JsonObject)['attestation'])
    assert.deepEqual(
      kept.map(({ id }) => id),
      newestFirst.slice(0, 10),
    )
    assert.ok(kept.every(({ evidenceKept }) => evidenceKept))
    // The sum outlives the process.
    broker = await broker.reopen()
    await refuse(broker, 1, () => 'client')
    assert.equal((await listRefused(broker)).length, 10)
    await broker.close()
  })

  test('stay for an hour after the clock was set, so that a clock that is put right in time deletes nothing', async () => {
    const broker = await openTestBroker({ flags: { 'refusal-retention': '2d' } })
    await refuse(broker, 3, () => 'client')
    broker.step(10 * DAY)
    await broker.housekeeping.run()
    broker.clock = later(broker.clock, HOUR - 1)
    await broker.housekeeping.run()
    assert.equal((await listRefused(broker)).length, 3)
    broker.clock = later(broker.clock, 1)
    await broker.housekeeping.run()
    assert.equal((await listRefused(broker)).length, 0)
    await broker.close()
  })

  test('go after their time, accepted ones stay', async () => {
    const broker = await openTestBroker({ flags: { 'refusal-retention': '2d' } })
    const { attestations } = broker.context.store
    const row = { id: 'accepted', at: START, verdict: 'accepted', kind: 'tdx', code: null } as const
    const record = {
      type: 'attestation.accepted',
      at: START.toISOString(),
      actor: { attestation: 'accepted' },
    }
    await attestations.insert({ ...row, explanation: {}, evidence: null }, record as never, NO_BASIS)
    await refuse(broker, 3, () => 'client')
    broker.clock = later(START, DAY)
    await refuse(broker, 2, () => 'client')
    await broker.housekeeping.run()
    assert.equal((await listRefused(broker)).length, 5)
    broker.clock = later(START, 2 * DAY + 1)
    await broker.housekeeping.run()
    assert.equal((await listRefused(broker)).length, 2)
    assert.equal((await broker.entries('refusals.purged'))[0]?.['count'], 3)
    assert.equal((await broker.entries('attestation.refused')).length, 5)
    assert.notEqual(await attestations.find('accepted'), null)
    await broker.housekeeping.run()
    assert.equal((await broker.entries('refusals.purged')).length, 1)
    await broker.close()
  })
})

describe('what a refused guest chose', () => {
  test('is cut in explanation and ledger', async () => {
    const broker = await openTestBroker()
    const long = 'x'.repeat(100_000)
    const refusal = new Refusal('evidence-malformed', long, { got: long })
    const whole = explainRefusal(refusal)
    assert.deepEqual([whole.refusal?.message.length, whole.refusal?.got?.length], [2049, 2049])
    const violations = Array.from({ length: 100 }, () => ({ path: long, expected: long, got: long }))
    const explanation = { ...whole, claims: { long }, result: { violations } }
    const session = {
      challenge: null,
      enclaveStatement: null,
      reportData: '',
      initData: null,
      runtimeData: { nonce: 'x' },
      protocolVersion: '0.4.0',
    }
    const request = { client: 'x', tee: 'tdx', primaryEvidence: {}, ...session } as const
    const generations = { policy: 0, reference: 0 }
    await recordAttestation(broker.context, { id: 'long', at: START, request, explanation, generations })
    const stored = (await broker.context.store.attestations.find('long'))?.explanation
    assert.deepEqual([stored?.['claims'], stored?.['result']], [null, null])
    assert.equal(stored?.['code'], 'evidence-malformed')
    const [recorded] = await broker.entries('attestation.refused')
    assert.equal((recorded?.['violations'] as readonly unknown[] | undefined)?.length, 24)
    assert.ok(JSON.stringify(recorded).length < 20_000)
    await broker.close()
  })
})

describe('a list with a filter', () => {
  test('finds what is older than one page looks at, and ends', async () => {
    const broker = await openTestBroker()
    const { attestations } = broker.context.store
    const explanation = explainRefusal(new Refusal('evidence-malformed', 'x'))
    for (let n = 0; n < 1203; n++) {
      const session = { client: n === 1 ? '192.0.2.9' : '192.0.2.1' }
      const stored = { at: START, verdict: 'refused', kind: 'tdx', code: 'evidence-malformed' } as const
      const attestation = {
        id: `id-${n}`,
        ...stored,
        explanation: { ...explanation, session },
        evidence: null,
      }
      const actor = { attestation: `id-${n}` }
      const record = { type: 'attestation.refused', at: START.toISOString(), actor } as const
      await attestations.insert(attestation, record, NO_BASIS)
    }
    const found: string[] = []
    let pages = 0
    let after: string | null = null
    do {
      const page = await attestations.list('refused', { limit: 10, after }, { client: '192.0.2.9' })
      found.push(...page.items.map(({ id }) => id))
      after = page.next
      pages += 1
    } while (after !== null)
    assert.deepEqual(found, ['id-1'])
    assert.equal(pages, 3)
    const ends = await attestations.list('any', { limit: 1, after: null }, { idEnd: '-1202', kind: 'tdx' })
    assert.deepEqual(
      ends.items.map(({ id }) => id),
      ['id-1202'],
    )
    assert.deepEqual((await attestations.list('any', { limit: 5, after: null }, { code: 'x' })).items, [])
    await broker.close()
  })

  test('is not pointed to by a refusal that was only counted: there is nothing to look up', async () => {
    const broker = await openTestBroker()
    const ids: boolean[] = []
    const pipeline = createPipeline(broker.context)
    const session = {
      challenge: null,
      enclaveStatement: null,
      reportData: '',
      initData: null,
      protocolVersion: '0.4.0',
    } as const
    for (let n = 0; n < 61; n++) {
      const request = {
        ...session,
        client: 'x',
        tee: 'tdx',
        primaryEvidence: {},
        runtimeData: { nonce: 'x' },
      } as const
      await assert.rejects(pipeline.attest(request), (error: unknown) => {
        const id = error instanceof BrokerError ? error.detail.attestation : undefined
        ids.push(id !== undefined)
        return true
      })
    }
    assert.deepEqual([ids.filter(Boolean).length, ids.at(-1)], [60, false])
    await broker.close()
  })
})

describe('counted entries', () => {
  test('are one for each kind of event, and no more kinds than a bound', async () => {
    const recorded: JsonObject[] = []
    const counted = new CountedEntries(
      async entry => void recorded.push(entry),
      () => START,
    )
    for (let n = 0; n < 1000; n++) {
      const details = { client: `${n % 500}` }
      counted.add({ type: 'attestation.refused', actor: { system: 'x' }, details })
    }
    await counted.flush()
    assert.equal(recorded.length, 257)
    const sum = recorded.reduce((total, { count }) => total + Number(count), 0)
    assert.equal(sum, 1000)
    assert.equal(recorded.at(-1)?.['others'], true)
    await counted.flush()
    assert.equal(recorded.length, 257)
  })

  test('that could not be recorded are recorded later', async () => {
    const recorded: JsonObject[] = []
    let isBroken = true
    const record = async (entry: JsonObject) => {
      if (isBroken) throw new Error('busy')
      recorded.push(entry)
    }
    const counted = new CountedEntries(record, () => START)
    counted.add({ type: 'release.denied', actor: { system: 'x' }, details: {} })
    await assert.rejects(counted.flush())
    isBroken = false
    counted.add({ type: 'release.denied', actor: { system: 'x' }, details: {} })
    await counted.flush()
    assert.deepEqual(
      recorded.map(({ count }) => count),
      [2],
    )
  })
})
