// Waiting for another process that writes: the event loop goes on, reads do, and whoever never lets go is told of.
import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LedgerError } from '../../src/index.ts'
import { openDatabase } from '../../src/node/index.ts'
import { rejectsCode } from '../expect-code.ts'
import { entryOf, type Fixture, fill, open } from './fixture.ts'

interface Held extends Fixture {
  /** Another connection, which holds the database from now on. */
  readonly other: DatabaseSync
  /** What the clock of whoever waits says; it is asked once for each try, and to begin with. */
  readonly wait: { ms: number; asked: number }
}

async function openHeld(t: TestContext): Promise<Held> {
  const wait = { ms: 0, asked: 0 }
  const fixture = await open(t, undefined, () => {
    wait.asked++
    return wait.ms
  })
  await fill(fixture.ledger, 2)
  const other = openDatabase(fixture.path)
  t.after(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  wait.asked = 0
  return { ...fixture, other, wait }
}

const timeoutOf = (db: DatabaseSync): unknown => db.prepare('PRAGMA busy_timeout').get()?.['timeout']

async function untilAsked({ wait }: Held, times: number): Promise<number> {
  let turns = 0
  for (; wait.asked < times; turns++) await nextTurn()
  return turns
}

test('an append waits for another writer while the event loop goes on, and is then committed', async t => {
  const held = await openHeld(t)
  const { ledger, db, other } = held
  const appended = ledger.append(entryOf(2))
  await untilAsked(held, 20)
  // No transaction is open on the connection that others read on, and they wait as long as ever.
  assert.deepEqual([db.isTransaction, timeoutOf(db)], [false, 5_000])
  assert.equal((await ledger.entries({ from: 0, limit: 9 })).length, 2)
  other.exec('ROLLBACK')
  assert.equal((await appended).index, 2)
  assert.equal(timeoutOf(db), 5_000)
})

test('an append that waits for long is tried now and then', async t => {
  const held = await openHeld(t)
  const appended = held.ledger.append(entryOf(2))
  await untilAsked(held, 101)
  assert.ok((await untilAsked(held, 111)) > 20)
  held.other.exec('ROLLBACK')
  await appended
})

test('a database that somebody else keeps locked is unavailable, not broken, for an append after five seconds', async t => {
  const held = await openHeld(t)
  const { ledger, other, wait } = held
  const refused = assert.rejects(ledger.append(entryOf(2)), error => {
    assert.ok(error instanceof LedgerError && error.cause instanceof Error)
    assert.deepEqual([error.code, 'errcode' in error.cause && error.cause.errcode], ['ledger-unavailable', 5])
    return true
  })
  await untilAsked(held, 2)
  wait.ms = 4_999
  await untilAsked(held, 30)
  wait.ms = 5_000
  await refused
  assert.deepEqual([ledger.isRefusing, ledger.hasFailed], [true, false])
  other.exec('ROLLBACK')
  assert.equal((await ledger.append(entryOf(2))).index, 2)
})

test('a probe hardly waits for a database that somebody else holds', async t => {
  const held = await openHeld(t)
  const { ledger, wait, db } = held
  const refused = rejectsCode('ledger-unavailable', ledger.probe([]))
  wait.ms = 49
  await untilAsked(held, 20)
  wait.ms = 50
  await refused
  assert.equal(timeoutOf(db), 5_000)
})

test('a checkpoint waits for another writer as an append does', async t => {
  const held = await openHeld(t)
  const shown = held.ledger.checkpoint()
  await untilAsked(held, 20)
  held.other.exec('ROLLBACK')
  assert.equal((await shown).size, 2)
})

test('a log is begun once nobody else writes', async t => {
  const held = await openHeld(t)
  held.other.exec('DELETE FROM ledger_segment; DELETE FROM ledger_entry; DELETE FROM ledger_head')
  held.other.exec('COMMIT; BEGIN IMMEDIATE')
  const { asked } = held.wait
  const begun = held.database.begin('another+00000000+AAAA')
  await untilAsked(held, asked + 20)
  held.other.exec('ROLLBACK')
  assert.equal((await begun).verifierKey, 'another+00000000+AAAA')
})

test('closing waits for an append that waits for another writer', async t => {
  const held = await openHeld(t)
  const appended = held.ledger.append(entryOf(2))
  const closed = held.ledger.close().then(() => held.ledger.size)
  await untilAsked(held, 20)
  held.other.exec('ROLLBACK')
  assert.equal(await closed, 3)
  assert.equal((await appended).index, 2)
})

test('a transaction that somebody else has open on the connection is not waited for, joined or ended', async t => {
  const held = await openHeld(t)
  const { ledger, db, other, wait } = held
  other.exec('ROLLBACK')
  db.exec('BEGIN')
  await rejectsCode('ledger-unavailable', ledger.append({}))
  await rejectsCode('ledger-unavailable', ledger.checkpoint())
  await rejectsCode('ledger-unavailable', ledger.probe([]))
  assert.equal(wait.asked, 3)
  assert.ok(db.isTransaction)
  db.exec('ROLLBACK')
  assert.equal((await ledger.append({})).index, 2)
})
