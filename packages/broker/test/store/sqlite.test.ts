// What the contract of the store does not show: how SQLite's parts end, and what they leave in the database.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { ChangeRefused } from '@casemate/ledger/node'
import { entry } from '../../src/entry.ts'
import { appendUnless } from '../../src/store/sqlite-parts.ts'
import { later, MINUTE, openTestBroker, START } from '../broker.ts'

test('a change that is refused for what is no longer so is tried three times', async () => {
  let made = 0
  const append = () => {
    made++
    return Promise.reject(new ChangeRefused(0, { expected: '1 row', got: '0 rows' }))
  }
  await assert.rejects(
    appendUnless(append, () => undefined),
    { code: 'conflict' },
  )
  assert.equal(made, 3)
})

test('challenges go when nobody could answer them any more', async t => {
  const broker = await openTestBroker()
  t.after(() => broker.close())
  const { attestations } = broker.context.store
  const answer = async (nonce: string, at: Date) => {
    const record = entry({ type: 'attestation.accepted', at, actor: { attestation: nonce } })
    const what = { id: nonce, at, verdict: 'accepted', kind: 'tdx', code: null, explanation: {} } as const
    const challenge = { nonce, endsAt: later(at, MINUTE) }
    await attestations.insert({ ...what, evidence: null }, record, { challenge, generations: null })
  }
  await answer('first', START)
  await answer('second', later(START, MINUTE))
  await answer('third', later(START, 2 * MINUTE + 1))
  const db = new DatabaseSync(join(broker.dataDir, 'casemate.db'), { readOnly: true })
  t.after(() => db.close())
  const kept = db.prepare('SELECT nonce FROM used_challenges ORDER BY ends_at').all()
  assert.deepEqual(
    kept.map(({ nonce }) => nonce),
    ['second', 'third'],
  )
})
