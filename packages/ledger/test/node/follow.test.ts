// Several writers of one log: each follows what the others appended, and no log that is not the one that it knows.
import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { encodeLeaf } from '../../src/index.ts'
import { continued, follow } from '../../src/node/follow.ts'
import { type Ledger, openDatabase, openLedger, SqliteLedger } from '../../src/node/index.ts'
import type { Batch } from '../../src/node/ledger-database.ts'
import { restoreTail } from '../../src/node/restore.ts'
import { MerkleTail } from '../../src/node/tail.ts'
import { rejectsCode } from '../expect-code.ts'
import { leafHash, treeHash } from '../reference-tree.ts'
import { entryOf, type Fixture, fill, KEY, ORIGIN, open, START } from './fixture.ts'

/** As two processes: each with a connection of its own. */
async function openTwice(t: TestContext): Promise<[Fixture, Fixture]> {
  const one = await open(t)
  return [one, await open(t, one.path)]
}

/** By the leaves as they are stored. */
function referenceRoot(db: DatabaseSync): Uint8Array {
  const rows = db.prepare('SELECT leaves FROM ledger_segment ORDER BY first').all()
  const leaves = Buffer.concat(rows.map(row => row['leaves'] as Uint8Array))
  return treeHash(
    Array.from({ length: leaves.length / 41 }, (_, at) => leafHash(leaves.subarray(at * 41, (at + 1) * 41))),
  )
}

/** In one batch, or in more that follow one another. */
const appendSome = (ledger: Ledger, count: number) =>
  Promise.all(Array.from({ length: count }, (_, at) => ledger.append(entryOf(at))))

test('two writers append in turns over the ends of bundles and tiles, and both have the tree that the RFC defines', async t => {
  const both = await openTwice(t)
  let size = 0
  for (const [turn, count] of [1, 254, 1, 1, 255, 257, 513, 1, 2, 127, 129, 700].entries()) {
    const { ledger, db } = both[turn % 2]!
    assert.equal((await appendSome(ledger, count))[0]?.index, size)
    size += count
    const root = referenceRoot(db)
    for (const { ledger: each } of both) {
      assert.equal(await each.currentSize(), size)
      assert.deepEqual((await each.checkpoint()).root, root)
    }
  }
  for (const { ledger } of both) assert.equal((await ledger.check()).size, size)
})

test('leaves that others appended over a tile of the second level give the tree that the RFC defines', () => {
  const count = 65_536 + 300
  const leaves = Buffer.alloc(count * 41)
  for (let at = 0; at < count; at++) leaves.writeUInt32BE(at, at * 41)
  const hashes = Array.from({ length: count }, (_, at) => leafHash(leaves.subarray(at * 41, (at + 1) * 41)))
  const grown = (from: MerkleTail, to: number) =>
    continued(
      from,
      { verifierKey: '', size: to, root: treeHash(hashes.slice(0, to)), timestamp: 0 },
      leaves.subarray(from.size * 41, to * 41),
    )
  let tail = MerkleTail.restore(0, [])
  for (const size of [65_000, 65_535, 65_536, 65_537, count]) tail = grown(tail, size)
  assert.deepEqual(
    [0, 1, 2].map(level => tail.partialTile(level)?.position),
    [257, 1, 0],
  )
})

test('what others appended is read from where this process knows the log, and no tile below', async t => {
  const [one, other] = await openTwice(t)
  await fill(one.ledger, 300)
  await other.ledger.currentSize()
  await appendSome(one.ledger, 3)
  // Neither is read again; the deep check would miss both.
  one.db.exec('DELETE FROM ledger_tile; DELETE FROM ledger_segment WHERE first < 300')
  assert.equal(await other.ledger.currentSize(), 303)
  await appendSome(one.ledger, 2)
  assert.equal((await other.ledger.append({})).index, 305)
})

test('a log that is far ahead is followed by its edge, whether it is read or written next', async t => {
  const [one, other] = await openTwice(t)
  const third = await open(t, one.path)
  await fill(one.ledger, 5_000)
  // Not of the edge: only whoever reads leaf by leaf misses them.
  one.db.exec('DELETE FROM ledger_segment WHERE first < 512')
  assert.equal(await third.ledger.currentSize(), 5_000)
  assert.equal((await other.ledger.append({})).index, 5_000)
  assert.equal((await third.ledger.append({})).index, 5_001)
})

/** Puts a longer log in the place of one, which ends with what the one ends with or not. */
function replaceBy({ db }: Fixture, path: string): void {
  db.exec(`ATTACH '${path}' AS other`)
  for (const table of ['head', 'entry', 'segment', 'tile']) {
    db.exec(`DELETE FROM ledger_${table}; INSERT INTO ledger_${table} SELECT * FROM other.ledger_${table}`)
  }
}

for (const [how, act] of Object.entries({
  'appends next': (ledger: Ledger) => ledger.append({}),
  'looks how long it is': (ledger: Ledger) => ledger.currentSize(),
})) {
  for (const more of [1, 5_000]) {
    test(`a log of another history that is ${more} longer ends the writing of whoever ${how}`, async t => {
      const known = await open(t)
      const other = await open(t)
      await fill(known.ledger, 5)
      await other.ledger.append({ another: 'history' })
      await fill(other.ledger, 4 + more)
      replaceBy(known, other.path)
      await rejectsCode('ledger-forked', act(known.ledger))
      assert.ok(known.ledger.hasFailed)
      await rejectsCode('ledger-forked', known.ledger.append({}))
      assert.equal(known.db.prepare('SELECT size FROM ledger_head').get()?.['size'], 5 + more)
    })

    test(`${more} leaves that are not those of the head end the writing of whoever ${how}`, async t => {
      const [one, other] = await openTwice(t)
      await fill(one.ledger, 5)
      await other.ledger.currentSize()
      await appendSome(one.ledger, more)
      const forged = encodeLeaf({ timestamp: new Date(0), commitment: new Uint8Array(32) })
      const last = one.db.prepare('SELECT max(first) AS first, leaves FROM ledger_segment').get()
      const leaves = Buffer.from(last?.['leaves'] as Uint8Array)
      leaves.set(forged, leaves.length - forged.length)
      one.db
        .prepare('UPDATE ledger_segment SET leaves = ? WHERE first = ?')
        .run(leaves, last?.['first'] ?? null)
      await rejectsCode(more === 1 ? 'ledger-forked' : 'ledger-damaged', act(other.ledger))
      await rejectsCode(more === 1 ? 'ledger-forked' : 'ledger-damaged', other.ledger.append({}))
    })
  }

  test(`a head that is ahead of what is stored ends the writing of whoever ${how}`, async t => {
    const { ledger, db } = await open(t)
    await fill(ledger, 5)
    db.exec('UPDATE ledger_head SET size = 7')
    await rejectsCode('ledger-damaged', act(ledger))
    assert.ok(ledger.hasFailed)
  })
}

/** A log whose commits are made, and told of only when they may be. */
async function openHeldBack(
  t: TestContext,
): Promise<{ one: Fixture; held: Ledger; telling: PromiseWithResolvers<void> }> {
  const one = await open(t)
  const db = openDatabase(one.path)
  t.after(() => db.close())
  const database = new SqliteLedger(db)
  const telling = Promise.withResolvers<void>()
  const commit = database.commit.bind(database)
  t.mock.method(database, 'commit', async (batch: Batch) => {
    const committed = await commit(batch)
    await telling.promise
    return committed
  })
  const options = { database, origin: ORIGIN, signingKey: KEY, now: () => new Date(START) }
  return { one, held: await openLedger(options), telling }
}

const committed = async (db: DatabaseSync, size: number): Promise<void> => {
  while (db.prepare('SELECT size FROM ledger_head').get()?.['size'] !== size) await nextTurn()
}

test('a batch is continued by what was followed before anybody was told of it', async t => {
  const { one, held, telling } = await openHeldBack(t)
  const appended = held.append({})
  await committed(one.db, 1)
  await appendSome(one.ledger, 2)
  assert.equal(await held.currentSize(), 3)
  telling.resolve()
  assert.equal((await appended).index, 0)
  assert.equal(held.size, 3)
})

test('a batch and what was followed meanwhile that are of two histories end the writing', async t => {
  const { one, held, telling } = await openHeldBack(t)
  const appended = held.append({})
  await committed(one.db, 1)
  const other = await open(t)
  await appendSome(other.ledger, 2)
  replaceBy(one, other.path)
  assert.equal(await held.currentSize(), 2)
  telling.resolve()
  await rejectsCode('ledger-forked', appended)
  assert.ok(held.hasFailed)
})

test('a database that is followed says what is stored, and never less than what is known', async t => {
  const { ledger, path } = await open(t)
  await fill(ledger, 4)
  const db = openDatabase(path)
  t.after(() => db.close())
  const database = new SqliteLedger(db)
  const tail = restoreTail(await database.edge())
  db.exec('UPDATE ledger_head SET size = 2')
  assert.equal(await follow(database, tail), tail)
})

test('a log opens while another process appends to it and shows it', async t => {
  const one = await open(t)
  await fill(one.ledger, 3)
  await one.ledger.checkpoint()
  const db = openDatabase(one.path)
  t.after(() => db.close())
  const database = new SqliteLedger(db)
  // Between each two readings of whoever opens.
  for (const method of ['begin', 'latestCheckpoint', 'edge', 'entries'] as const) {
    const read: (...values: never[]) => Promise<unknown> = database[method].bind(database)
    t.mock.method(database, method, async (...values: never[]) => {
      const found = await read(...values)
      await appendSome(one.ledger, 2)
      await one.ledger.checkpoint()
      return found
    })
  }
  const options = { database, origin: ORIGIN, signingKey: KEY, now: () => new Date(START) }
  const ledger = await openLedger(options)
  t.mock.restoreAll()
  assert.equal((await ledger.append({})).index, 11)
  assert.equal((await ledger.check()).checkpoints, 5)
})
