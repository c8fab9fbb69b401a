// Appending: batches, savepoints, order, time, back-pressure, closing.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LedgerError } from '../../src/index.ts'
import { MAX_WAITING_LENGTH } from '../../src/node/group-commit.ts'
import {
  ChangeRefused,
  ENTRY_INDEX,
  MAX_ENTRY_BYTES,
  MAX_WAITING,
  openLedger,
  SqliteLedger,
  type Statement,
} from '../../src/node/index.ts'
import { rejectsCode } from '../expect-code.ts'
import { entryOf, fill, KEY, ORIGIN, open, START } from './fixture.ts'

test('an entry reads back as it was appended, with its index and time', async t => {
  const { ledger } = await open(t)
  const { index, timestamp, met } = await ledger.append({ b: 1, a: ['ü', null, { c: 1.5 }] })
  assert.deepEqual([index, timestamp, met], [0, new Date(START), []])
  assert.deepEqual(await ledger.entry(0), {
    index: 0,
    timestamp: new Date(START),
    entry: { a: ['ü', null, { c: 1.5 }], b: 1 },
    erasedBy: null,
  })
})

test('appends of one turn share one transaction, in the order in which they came', async t => {
  const { ledger, db } = await open(t)
  const appended = await Promise.all(Array.from({ length: 300 }, (_, at) => ledger.append(entryOf(at))))
  assert.deepEqual(
    appended.map(({ index }) => index),
    Array.from({ length: 300 }, (_, at) => at),
  )
  // One segment for each bundle of 256 that the batch touches.
  assert.equal(db.prepare('SELECT count(*) AS n FROM ledger_segment').get()?.['n'], 2)
})

test('appends of turns that are close to one another share one transaction', async t => {
  const { ledger, db } = await open(t)
  const appended: Promise<unknown>[] = []
  for (let turn = 0; turn < 6; turn++) {
    appended.push(ledger.append(entryOf(turn)))
    await nextTurn()
    await nextTurn()
  }
  await Promise.all(appended)
  assert.equal(db.prepare('SELECT count(*) AS n FROM ledger_segment').get()?.['n'], 1)
})

test('an append is committed while others go on coming', async t => {
  const { ledger } = await open(t)
  const appended: Promise<unknown>[] = [ledger.append(entryOf(0))]
  for (let turn = 1; ledger.size === 0 && turn < 1000; turn++) {
    appended.push(ledger.append(entryOf(turn)))
    await nextTurn()
  }
  assert.ok(appended.length < 1000)
  await Promise.all(appended)
})

test('what the caller does to an entry after appending it does not matter', async t => {
  const { ledger } = await open(t)
  const entry = { type: 'before' }
  const appended = ledger.append(entry)
  entry.type = 'after'
  await appended
  assert.deepEqual((await ledger.entry(0)).entry, { type: 'before' })
})

test('a promise resolves only after the commit', async t => {
  const { ledger, path } = await open(t)
  const other = (await open(t, path)).db
  const count = () => other.prepare('SELECT count(*) AS n FROM ledger_entry').get()?.['n']
  const appended = ledger.append(entryOf(0))
  assert.equal(ledger.size, 0)
  await appended
  assert.equal(ledger.size, 1)
  assert.equal(count(), 1)
})

const insertion = (value: number | typeof ENTRY_INDEX): Statement => ({
  sql: 'INSERT INTO state VALUES (?)',
  values: [value],
  expected: 1,
})

/** A statement that meets nothing, and has to meet something. */
const REFUSED: Statement = { sql: 'SELECT 1 WHERE 0', values: [], expected: 1 }

async function openWithState(t: TestContext) {
  const fixture = await open(t)
  fixture.db.exec('CREATE TABLE state (value INTEGER UNIQUE)')
  const values = () =>
    fixture.db
      .prepare('SELECT value FROM state ORDER BY value')
      .all()
      .map(row => row['value'])
  return { ...fixture, values }
}

test('a change to the database and its entry commit together, and the change can name the entry', async t => {
  const { ledger, values } = await openWithState(t)
  await ledger.append(entryOf(0))
  const { index } = await ledger.append(entryOf(1), [insertion(ENTRY_INDEX), insertion(40)])
  assert.deepEqual([index, values()], [1, [1, 40]])
})

test('a change says what each of its statements met', async t => {
  const { ledger } = await openWithState(t)
  const { met } = await ledger.append(entryOf(0), [
    insertion(7),
    insertion(8),
    { sql: 'UPDATE state SET value = value + 10 RETURNING value', values: [], expected: 2 },
    { sql: 'SELECT value FROM state WHERE value > ? ORDER BY value', values: [0], expected: 'any' },
    { sql: 'DELETE FROM state', values: [], expected: 'any' },
  ])
  assert.deepEqual(
    met.map(({ count, rows }) => [count, rows.map(row => row['value'])]),
    [
      [1, []],
      [1, []],
      [2, [17, 18]],
      [2, [17, 18]],
      [2, []],
    ],
  )
})

test('a change that is refused takes its entry and nobody else along, and says which statement it was', async t => {
  const { ledger, values } = await openWithState(t)
  const results = await Promise.allSettled([
    ledger.append(entryOf(0), [insertion(0)]),
    ledger.append(entryOf(1), [insertion(1), REFUSED]),
    ledger.append(entryOf(2), [insertion(2)]),
    ledger.append(entryOf(3), [insertion(3), insertion(2)]),
    ledger.append(entryOf(4), [insertion(4)]),
  ])
  const refusals = results.map(result => (result.status === 'rejected' ? result.reason : null))
  for (const refused of [refusals[1], refusals[3]]) {
    assert.ok(refused instanceof ChangeRefused)
    assert.deepEqual([refused.code, refused.statement], ['change-refused', 1])
  }
  assert.deepEqual([refusals[1].expected, refusals[1].got], ['1 row', '0 rows'])
  assert.deepEqual([refusals[3].expected, refusals[3].got], ['1 row', 'a violated constraint'])
  assert.deepEqual([refusals[0], refusals[2], refusals[4]], [null, null, null])
  assert.deepEqual(values(), [0, 2, 4])
  assert.deepEqual(
    (await ledger.entries({ from: 0, limit: 10 })).map(({ entry }) => entry),
    [entryOf(0), entryOf(2), entryOf(4)],
  )
})

test('a change that meets more than it has to is refused as one that meets less', async t => {
  const { ledger, values } = await openWithState(t)
  await ledger.append(entryOf(0), [insertion(1), insertion(2)])
  const deletion = { sql: 'DELETE FROM state', values: [], expected: 1 } as const
  await rejectsCode('change-refused', ledger.append(entryOf(1), [deletion]))
  await rejectsCode('change-refused', ledger.append(entryOf(1), [{ ...deletion, expected: 0 }]))
  assert.deepEqual(values(), [1, 2])
  await ledger.append(entryOf(1), [{ ...deletion, expected: 2 }])
  assert.deepEqual(values(), [])
})

test('a change sees those before it in its batch, and none that was refused', async t => {
  const { ledger, values } = await openWithState(t)
  const rising = (from: number): Statement => ({
    sql: 'INSERT INTO state SELECT ? WHERE (SELECT coalesce(max(value), 0) FROM state) = ?',
    values: [from + 1, from],
    expected: 1,
  })
  const results = await Promise.allSettled([
    ledger.append(entryOf(0), [rising(0)]),
    ledger.append(entryOf(1), [rising(1), REFUSED]),
    ledger.append(entryOf(2), [rising(0)]),
    ledger.append(entryOf(3), [rising(1)]),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(values(), [1, 2])
})

test('a batch in which every change is refused leaves nothing', async t => {
  const { ledger } = await open(t)
  const failing = () => ledger.append(entryOf(0), [REFUSED])
  await Promise.allSettled([failing(), failing()])
  assert.equal(ledger.size, 0)
  await fill(ledger, 1)
  await ledger.check()
})

test('a change is refused that the database does not understand, alone and with the words of the database', async t => {
  const { ledger, db } = await open(t)
  db.exec('CREATE TABLE numbers (id INTEGER PRIMARY KEY)')
  const wrong: readonly (readonly [string, Statement['values'], RegExp])[] = [
    ['SELECT 1 FROM nowhere', [], /no such table/],
    ['SELECT zeroblob(2147483647)', [], /too big/],
    ['INSERT INTO numbers VALUES (?)', ['none'], /mismatch/],
    ['SELECT ?', [1, 2], /out of range/],
  ]
  for (const [at, [sql, values, words]] of wrong.entries()) {
    const [none, after] = await Promise.allSettled([
      ledger.append(entryOf(0), [{ sql, values, expected: 'any' }]),
      ledger.append(entryOf(1)),
    ])
    assert.match(String(none.status === 'rejected' && none.reason), words)
    assert.equal(after.status === 'fulfilled' && after.value.index, at)
  }
})

test('what a trigger raises is no refusal of what would be stored', async t => {
  const { ledger, db } = await openWithState(t)
  db.exec(`CREATE TRIGGER full BEFORE INSERT ON state BEGIN SELECT RAISE(ABORT, 'full'); END`)
  await assert.rejects(
    ledger.append(entryOf(0), [insertion(1)]),
    error => !(error instanceof ChangeRefused) && /full/.test(String(error)),
  )
})

test('a change that goes with no entry cannot name its index', async t => {
  const { ledger, values } = await openWithState(t)
  await rejectsCode('ledger-unavailable', ledger.probe([insertion(ENTRY_INDEX)]))
  assert.deepEqual(values(), [])
})

test('time in the log never runs backwards', async t => {
  const { ledger, clock } = await open(t)
  await ledger.append(entryOf(0))
  clock.time -= 1000
  assert.deepEqual((await ledger.append(entryOf(1))).timestamp, new Date(START))
  clock.time += 3000
  assert.deepEqual((await ledger.append(entryOf(2))).timestamp, new Date(START + 2000))
  await ledger.check()
})

test('a clock or a source of randomness that fails records nothing', async t => {
  const { db } = await open(t)
  const options = {
    database: new SqliteLedger(db),
    origin: ORIGIN,
    signingKey: KEY,
    now: () => new Date(START),
  }
  const broken = await openLedger({ ...options, now: () => new Date(Number.NaN) })
  await rejectsCode('ledger-unavailable', broken.append(entryOf(0)))
  const short = await openLedger({ ...options, randomBytes: () => new Uint8Array(31) })
  await rejectsCode('ledger-unavailable', short.append(entryOf(0)))
  assert.equal((await openLedger(options)).size, 0)
})

test('every entry has a salt of its own', async t => {
  const { ledger, db } = await open(t)
  await Promise.all(Array.from({ length: 20 }, () => ledger.append(entryOf(1))))
  assert.equal(db.prepare('SELECT count(DISTINCT salt) AS n FROM ledger_entry').get()?.['n'], 20)
})

test('an entry may be as long as the limit, and not a byte longer', async t => {
  const { ledger } = await open(t)
  const text = 'ü'.repeat((MAX_ENTRY_BYTES - '{"a":""}'.length) / 2)
  await ledger.append({ a: text })
  assert.deepEqual((await ledger.entry(0)).entry, { a: text })
  await rejectsCode('entry-too-large', ledger.append({ a: `${text}x` }))
  await ledger.check()
})

test('the queue is bounded and says when to come back', async t => {
  const { ledger } = await open(t)
  const waiting = Array.from({ length: MAX_WAITING }, () => ledger.append({}))
  await assert.rejects(ledger.append({}), error => {
    assert.ok(error instanceof LedgerError)
    assert.equal(error.code, 'ledger-busy')
    assert.ok(error.retryAfterMs !== undefined && error.retryAfterMs > 0)
    return true
  })
  await Promise.all(waiting)
  assert.equal(ledger.size, MAX_WAITING)
  assert.equal((await ledger.append({})).index, MAX_WAITING)
})

test('the queue is bounded in length too', async t => {
  const { ledger } = await open(t)
  const large = { a: 'x'.repeat(60_000) }
  const results = await Promise.allSettled(Array.from({ length: 1_200 }, () => ledger.append(large)))
  const refused = results.filter(({ status }) => status === 'rejected')
  assert.ok(refused.length > 0 && refused.length < 200)
  assert.equal(ledger.size, results.length - refused.length)
})

test('closing waits for what was appended and takes nothing more', async t => {
  const { ledger } = await open(t)
  const appended = ledger.append(entryOf(0))
  await ledger.close()
  assert.equal((await appended).index, 0)
  await rejectsCode('ledger-closed', ledger.append(entryOf(1)))
})

test('a second writer on the same file continues where the first one is', async t => {
  const { ledger, path } = await open(t)
  const second = (await open(t, path)).ledger
  await fill(ledger, 300)
  assert.equal((await second.append(entryOf(300))).index, 300)
  assert.equal((await ledger.append(entryOf(301))).index, 301)
  assert.equal((await ledger.check()).size, 302)
})

test('a log that is put behind what was committed, or another one in its place, is not written to any more', async t => {
  for (const damage of ['UPDATE ledger_head SET size = 4', 'UPDATE ledger_head SET root = zeroblob(32)']) {
    const { ledger, db } = await open(t)
    await fill(ledger, 5)
    db.exec(damage)
    await rejectsCode('ledger-damaged', ledger.append(entryOf(5)))
    assert.ok(ledger.hasFailed)
    await rejectsCode('ledger-damaged', ledger.append(entryOf(6)))
    assert.equal(db.prepare('SELECT count(*) AS n FROM ledger_entry').get()?.['n'], 5)
  }
})

test('a longer log of another history is not followed', async t => {
  const { ledger, db } = await open(t)
  const other = await open(t)
  await fill(ledger, 5)
  await other.ledger.append({ another: 'history' })
  await fill(other.ledger, 7)
  db.exec(`ATTACH '${other.path}' AS other`)
  for (const table of ['head', 'entry', 'segment'])
    db.exec(`DELETE FROM ledger_${table}; INSERT INTO ledger_${table} SELECT * FROM other.ledger_${table}`)
  await rejectsCode('ledger-forked', ledger.checkpoint())
  await rejectsCode('ledger-forked', ledger.append({}))
})

/** Fails in other words than a refusal. */
const WRITTEN: Statement = { sql: 'it was written', values: [], expected: 'any' }

test('whether a batch may be written is asked once, right before it, and a refusal reaches each of its appends as it is', async t => {
  const { db } = await open(t)
  const refusal = new Error('not ours any more')
  let [asked, mayWrite] = [0, true]
  const assertWritable = () => {
    asked++
    if (!mayWrite) throw refusal
  }
  const now = () => new Date(START)
  const ledger = await openLedger({
    database: new SqliteLedger(db),
    origin: ORIGIN,
    signingKey: KEY,
    now,
    assertWritable,
  })
  await fill(ledger, 300)
  assert.equal(asked, 1)
  const taken = [ledger.append(entryOf(0)), ledger.append(entryOf(1), [WRITTEN])]
  mayWrite = false
  const refused = await Promise.allSettled(taken)
  for (const outcome of refused) assert.equal(outcome.status === 'rejected' && outcome.reason, refusal)
  await assert.rejects(ledger.probe([WRITTEN]), refusal)
  const last = assert.rejects(ledger.append(entryOf(2)), refusal)
  await ledger.close()
  await last
  assert.deepEqual([ledger.size, ledger.isRefusing, ledger.hasFailed], [300, false, false])
})

test('what changes bring counts too, and what was refused or committed does not', async t => {
  const { db, ledger } = await open(t)
  db.exec('CREATE TABLE kept (bytes BLOB, text TEXT)')
  const quarter = MAX_WAITING_LENGTH / 4
  const sql = 'INSERT INTO kept VALUES (length(?), length(?))'
  const change = [{ sql, values: [Buffer.alloc(quarter), 'x'.repeat(quarter)], expected: 1 }] as const
  // Two are all that there is room for, without their entries.
  for (let round = 0; round < 2; round++) {
    const first = ledger.append({ round }, change)
    await assert.rejects(ledger.append({ round }, change), { code: 'ledger-busy' })
    await Promise.all([first, ledger.append({ round })])
  }
  assert.deepEqual({ ...db.prepare('SELECT count(*) AS count FROM kept').get() }, { count: 2 })
})
