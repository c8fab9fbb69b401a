// Erasing: the content is gone from every file, the tree and all other receipts stay.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { verifyConsistency, verifyReceipt } from '../../src/index.ts'
import { rejectsCode } from '../expect-code.ts'
import { fill, open } from './fixture.ts'

const filesHold = (path: string, text: string): boolean =>
  [path, `${path}-wal`].some(file => existsSync(file) && readFileSync(file).includes(text))

test('an erased entry is gone from the files, and its erasure is on record', async t => {
  const { ledger, path } = await open(t)
  await fill(ledger, 10)
  const { index } = await ledger.append({ secret: 'default/key/alpha', note: 'x'.repeat(9_000) })
  await fill(ledger, 10)
  assert.ok(filesHold(path, 'default/key/alpha'))
  const erased = await ledger.erase(index, { type: 'ledger.erased', reason: 'a person asked' })
  assert.deepEqual(erased, { index: 21, isOverwritten: true })
  assert.ok(!filesHold(path, 'default/key/alpha'))
  assert.ok(!filesHold(path, 'x'.repeat(100)))
  assert.deepEqual(await ledger.entry(index), {
    index,
    timestamp: (await ledger.entry(index)).timestamp,
    entry: null,
    erasedBy: 21,
  })
  assert.deepEqual((await ledger.entry(21)).entry, {
    type: 'ledger.erased',
    reason: 'a person asked',
    erasedIndex: index,
  })
})

test('erasing leaves the tree, its proofs and all other receipts as they are', async t => {
  const { ledger, path, db } = await open(t)
  await fill(ledger, 20)
  const before = await ledger.checkpoint()
  const kept = await ledger.receipt(4)
  const gone = await ledger.receipt(3)
  await ledger.erase(3, { reason: 'test' })
  const to = await ledger.checkpoint()
  await verifyConsistency({ from: before, to, proof: await ledger.consistency(before.size, to.size) })
  const { verifierKey: key } = ledger
  for (const receipt of [kept, gone, await ledger.receipt(4), await ledger.receipt(20)]) {
    await verifyReceipt(receipt, { key })
  }
  assert.equal((await ledger.check()).erased, 1)
  await ledger.close()
  db.close()
  assert.equal((await (await open(t, path)).ledger.entry(3)).erasedBy, 20)
})

test('an entry is erased once, and only if it is there', async t => {
  const { ledger } = await open(t)
  await fill(ledger, 2)
  await ledger.erase(0, {})
  await rejectsCode('entry-erased', ledger.erase(0, {}))
  await rejectsCode('entry-erased', ledger.receipt(0))
  for (const index of [3, 4, -1, 0.5]) await rejectsCode('entry-not-found', ledger.erase(index, {}))
  assert.equal(ledger.size, 3)
})

test('two erasures of one entry at once: one wins', async t => {
  const { ledger } = await open(t)
  await fill(ledger, 2)
  const results = await Promise.allSettled([ledger.erase(0, {}), ledger.erase(0, {})])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  assert.equal(ledger.size, 3)
})

test('the record of an erasure can be erased in its turn', async t => {
  const { ledger } = await open(t)
  await fill(ledger, 2)
  const first = await ledger.erase(0, { reason: 'names a person' })
  await ledger.erase(first.index, {})
  assert.equal((await ledger.check()).erased, 2)
})

test('pages that a reader holds are overwritten as soon as it lets go', async t => {
  const { ledger, path } = await open(t)
  const reader = (await open(t, path)).db
  await ledger.append({ secret: 'default/key/alpha' })
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM ledger_entry').get()
  assert.equal((await ledger.erase(0, {})).isOverwritten, false)
  assert.ok(filesHold(path, 'default/key/alpha'))
  reader.exec('ROLLBACK')
  await ledger.close()
  assert.ok(!filesHold(path, 'default/key/alpha'))
})
