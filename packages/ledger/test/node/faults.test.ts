// A failure between any two statements leaves either all of a batch or nothing, and never an effect without its entry.
import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { LedgerError, type SignedCheckpoint, verifyConsistency } from '../../src/index.ts'
import {
  type Change,
  type Ledger,
  openDatabase,
  openLedger,
  SqliteLedger,
  type Statement,
} from '../../src/node/index.ts'
import { rejectsCode } from '../expect-code.ts'
import { type Fault, FaultyDatabase } from './faulty-database.ts'
import { entryOf, fill, KEY, ORIGIN, open, START, temporaryDirectory } from './fixture.ts'

const FULL = 13
const IOERR_FSYNC = 1034

const openOver = (db: DatabaseSync) =>
  openLedger({ database: new SqliteLedger(db), origin: ORIGIN, signingKey: KEY, now: () => new Date(START) })

/** A log just short of a full tile, so that a batch crosses into the next one. */
async function prepared(t: TestContext): Promise<string> {
  const path = join(temporaryDirectory(t), 'prepared.db')
  const { ledger, db } = await open(t, path)
  db.exec('CREATE TABLE state (number INTEGER PRIMARY KEY)')
  await fill(ledger, 253)
  await ledger.checkpoint()
  await ledger.close()
  db.close()
  return path
}

interface Seen {
  readonly acknowledged: Map<number, number>
  readonly shown: SignedCheckpoint[]
}

/** All kinds of work, whose promises may or may not be kept. */
async function work(ledger: Ledger, first: number): Promise<Seen> {
  const seen: Seen = { acknowledged: new Map(), shown: [] }
  const insertion = (number: number): Statement => ({
    sql: 'INSERT INTO state VALUES (?)',
    values: [number],
    expected: 1,
  })
  const append = (number: number, change: Change = []) =>
    ledger.append(entryOf(number), change).then(({ index }) => void seen.acknowledged.set(index, number))
  const stated = (number: number) => append(number, [insertion(number)])
  const failing = (number: number) =>
    append(number, [insertion(number), { sql: 'SELECT 1 WHERE 0', values: [], expected: 1 }])
  const show = async () => void seen.shown.push(await ledger.checkpoint())
  await Promise.allSettled([
    append(first),
    stated(first + 1),
    failing(first + 2),
    stated(first + 3),
    append(first + 4),
  ])
  await Promise.allSettled([show()])
  await Promise.allSettled([ledger.erase(10 + first, {}), stated(first + 5)])
  await Promise.allSettled([show()])
  return seen
}

/** Opens with a sound connection and compares all that was promised with all that is there. */
async function verify(t: TestContext, path: string, seen: Seen): Promise<void> {
  const { ledger, db } = await open(t, path)
  await ledger.check()
  const entries = await ledger.entries({ from: 253, limit: 1000 })
  const numbers = new Map(entries.map(({ index, entry }) => [index, entry?.['number']]))
  for (const [index, number] of seen.acknowledged) assert.equal(numbers.get(index), number)
  const to = await ledger.checkpoint()
  for (const from of seen.shown) {
    await verifyConsistency({ from, to, proof: await ledger.consistency(from.size, to.size) })
  }
  const states = db
    .prepare('SELECT number FROM state')
    .all()
    .map(row => Number(row['number']))
  const stated = [...numbers.values()].filter(number => [1, 3, 5].includes(Number(number) % 10))
  assert.deepEqual(new Set(states), new Set(stated))
  assert.equal(states.length, stated.length)
  db.close()
}

async function runWith(t: TestContext, source: string, fault: Fault): Promise<boolean> {
  const path = join(temporaryDirectory(t), 'store.db')
  copyFileSync(source, path)
  const real = openDatabase(path)
  const faulty = new FaultyDatabase(real)
  const ledger = await openOver(faulty.db)
  faulty.arm(fault)
  const seen = await work(ledger, 0)
  const { hasFailed } = faulty
  if (!fault.isForGood) {
    // After a failure that passes, the same ledger goes on as if nothing had been.
    faulty.arm(null)
    const later = await work(ledger, 100)
    assert.equal(later.acknowledged.size, 5)
    assert.equal(later.shown.length, 2)
    for (const [index, number] of later.acknowledged) seen.acknowledged.set(index, number)
    seen.shown.push(...later.shown)
  }
  real.close()
  await verify(t, path, seen)
  return hasFailed
}

const KINDS = {
  'that passes': { isAfter: false, isForGood: false, errcode: FULL },
  'before a statement, for good': { isAfter: false, isForGood: true, errcode: IOERR_FSYNC },
  'after a statement, for good': { isAfter: true, isForGood: true, errcode: IOERR_FSYNC },
} as const

for (const [what, kind] of Object.entries(KINDS)) {
  test(`a failure ${what}, at every call in turn, breaks no promise`, async t => {
    const source = await prepared(t)
    let at = 0
    while (await runWith(t, source, { ...kind, at })) at++
    assert.ok(at > 30, `only ${at} calls`)
  })
}

test('opening fails whole at every call in turn, and succeeds afterwards', async t => {
  const source = await prepared(t)
  const real = openDatabase(source)
  t.after(() => real.close())
  const faulty = new FaultyDatabase(real)
  let at = 0
  for (; ; at++) {
    faulty.arm({ at, isAfter: false, isForGood: false, errcode: FULL })
    try {
      await openOver(faulty.db)
      if (!faulty.hasFailed) break
      assert.fail('opened in spite of a failure')
    } catch (error) {
      assert.ok(faulty.hasFailed, String(error))
      assert.equal(real.isTransaction, false)
    }
  }
  assert.ok(at > 10)
})

test('a change that meets a database that fails refuses the batch, in the words of the log', async t => {
  /** The head is read, before and in the transaction, then a savepoint made; this is what comes next. */
  const at = 4
  for (const [errcode, code, isFinal] of [
    [11, 'ledger-damaged', true],
    [IOERR_FSYNC, 'ledger-failed', true],
    [FULL, 'ledger-unavailable', false],
  ] as const) {
    const real = openDatabase(join(temporaryDirectory(t), 'store.db'))
    t.after(() => real.close())
    real.exec('CREATE TABLE state (number INTEGER PRIMARY KEY)')
    const faulty = new FaultyDatabase(real)
    const ledger = await openOver(faulty.db)
    faulty.arm({ at, isAfter: false, isForGood: false, errcode })
    const change = [{ sql: 'INSERT INTO state VALUES (?)', values: [1], expected: 1 }]
    await Promise.all([
      rejectsCode(code, ledger.append(entryOf(0), change)),
      rejectsCode(code, ledger.append(entryOf(1))),
    ])
    assert.equal(ledger.hasFailed, isFinal)
    assert.equal(real.prepare('SELECT size FROM ledger_head').get()?.['size'], 0)
  }
})

test('after the storage failed nothing is written until the log is opened again', async t => {
  const path = join(temporaryDirectory(t), 'store.db')
  const real = openDatabase(path)
  t.after(() => real.close())
  const faulty = new FaultyDatabase(real)
  const ledger = await openOver(faulty.db)
  await fill(ledger, 2)
  faulty.arm({ at: 2, isAfter: false, isForGood: false, errcode: IOERR_FSYNC })
  const waiting = Array.from({ length: 3 }, () => ledger.append({}))
  await Promise.all(waiting.map(append => rejectsCode('ledger-failed', append)))
  await rejectsCode('ledger-failed', ledger.append({}))
  assert.equal((await ledger.entry(1)).index, 1)
  const again = await openOver(real)
  assert.equal((await again.append({})).index, 2)
})

test('a probe that meets a failing disk, and a checkpoint, fail the log for good and tell its owner once', async t => {
  for (const meet of ['probe', 'checkpoint'] as const) {
    const real = openDatabase(join(temporaryDirectory(t), 'store.db'))
    t.after(() => real.close())
    const faulty = new FaultyDatabase(real)
    const told: string[] = []
    const ledger = await openLedger({
      database: new SqliteLedger(faulty.db),
      origin: ORIGIN,
      signingKey: KEY,
      now: () => new Date(START),
      onFailure: ({ code }) => void told.push(code),
    })
    await fill(ledger, 2)
    // A probe first says how long it waits.
    faulty.arm({ at: meet === 'probe' ? 2 : 0, isAfter: false, isForGood: false, errcode: IOERR_FSYNC })
    if (meet === 'probe') await rejectsCode('ledger-failed', ledger.probe([]))
    else await rejectsCode('ledger-failed', ledger.checkpoint())
    assert.ok(ledger.isRefusing)
    await rejectsCode('ledger-failed', ledger.append({}))
    await rejectsCode('ledger-failed', ledger.probe([]))
    assert.deepEqual(told, ['ledger-failed'])
  }
})

test('a failure keeps its cause and a hint', async t => {
  const { ledger, db } = await open(t)
  db.exec('PRAGMA query_only = ON')
  await assert.rejects(ledger.append({}), error => {
    assert.ok(error instanceof LedgerError && error.cause instanceof Error)
    assert.equal(error.code, 'ledger-unavailable')
    assert.ok(error.hint !== undefined && error.retryAfterMs !== undefined)
    return true
  })
})
