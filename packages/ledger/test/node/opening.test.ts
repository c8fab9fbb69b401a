// Opening and checking: a log that was damaged, rolled back or belongs to somebody else is refused, each by its code.
import assert from 'node:assert/strict'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import type { LedgerErrorCode } from '../../src/index.ts'
import { openDatabase, openLedger, SqliteLedger } from '../../src/node/index.ts'
import { rejectsCode, throwsCode } from '../expect-code.ts'
import { type Fixture, fill, KEY, ORIGIN, open, START, signingKey, temporaryDirectory } from './fixture.ts'

const reopen = (db: DatabaseSync, key = KEY, origin = ORIGIN) =>
  openLedger({ database: new SqliteLedger(db), origin, signingKey: key, now: () => new Date(START) })

/** A log of 600 entries in two full tiles and a partial one, of which a checkpoint was shown at 300 and 600. */
async function grown(t: TestContext): Promise<Fixture> {
  const fixture = await open(t)
  for (const _ of [1, 2]) {
    await fill(fixture.ledger, 300)
    await fixture.ledger.checkpoint()
  }
  return fixture
}

test('a log that was closed opens where it stopped', async t => {
  const { ledger, db, path } = await grown(t)
  const shown = await ledger.checkpoint()
  await ledger.close()
  db.close()
  const again = (await open(t, path)).ledger
  assert.deepEqual(await again.checkpoint(), shown)
  assert.deepEqual(await again.check(), { size: 600, root: shown.root, checkpoints: 2, erased: 0 })
  assert.equal((await again.append({})).index, 600)
})

/** Damage to what lies at the edge of the log: found when it is opened. */
const DAMAGE_AT_THE_EDGE: Readonly<Record<string, string>> = {
  'a leaf that changed': `UPDATE ledger_segment SET leaves = CAST(substr(leaves, 1, length(leaves) - 1) || x'00' AS BLOB)
                          WHERE first = (SELECT max(first) FROM ledger_segment)`,
  'leaves that are missing':
    'DELETE FROM ledger_segment WHERE first = (SELECT max(first) FROM ledger_segment)',
  'leaves that nobody appended': 'INSERT INTO ledger_segment VALUES (600, zeroblob(41))',
  'a gap in the leaves': 'UPDATE ledger_segment SET first = 513 WHERE first = 512',
  'a tile that changed': 'UPDATE ledger_tile SET hashes = zeroblob(8192) WHERE position = 1',
  'a tile that is missing': 'DELETE FROM ledger_tile WHERE position = 1',
  'an entry that changed': "UPDATE ledger_entry SET content = '{}' WHERE position = 599",
  'a salt that changed': 'UPDATE ledger_entry SET salt = zeroblob(32) WHERE position = 599',
  'an entry that is missing': 'DELETE FROM ledger_entry WHERE position = 599',
  'an entry that is missing within': 'DELETE FROM ledger_entry WHERE position = 598',
  'an entry that nobody appended': "INSERT INTO ledger_entry VALUES (600, zeroblob(32), '{}', NULL)",
  'another root in the head': 'UPDATE ledger_head SET root = zeroblob(32)',
  'a smaller size in the head': 'UPDATE ledger_head SET size = 599',
  'a larger size in the head': 'UPDATE ledger_head SET size = 601',
  'a head that is missing': 'DELETE FROM ledger_head',
  'a checkpoint beyond the log': `UPDATE ledger_checkpoint SET size = 601 WHERE size = 600`,
  'another checkpoint than the log leads to': `UPDATE ledger_checkpoint SET note = replace(note, '600', '60')
                                               WHERE size = 600`,
}
for (const [what, damage] of Object.entries(DAMAGE_AT_THE_EDGE)) {
  test(`a log with ${what} does not open`, async t => {
    const { ledger, db } = await grown(t)
    await ledger.close()
    await reopen(db)
    db.exec(damage)
    await rejectsCode('ledger-damaged', reopen(db))
  })
}

/** Damage further back: the log opens, and the deep check finds it. */
const DAMAGE_WITHIN: Readonly<Record<string, string>> = {
  'an old leaf that changed': `UPDATE ledger_segment SET leaves = CAST(x'02' || substr(leaves, 2) AS BLOB) WHERE first = 0`,
  'a gap between old leaves': 'UPDATE ledger_segment SET first = 301 WHERE first = 300',
  'an old commitment that changed': `UPDATE ledger_segment
     SET leaves = CAST(substr(leaves, 1, 9) || zeroblob(32) || substr(leaves, 42) AS BLOB) WHERE first = 0`,
  'an old time that changed': `UPDATE ledger_segment
     SET leaves = CAST(substr(leaves, 1, 3) || x'00' || substr(leaves, 5) AS BLOB) WHERE first = 256`,
  'an old entry that changed': "UPDATE ledger_entry SET content = '{}' WHERE position = 7",
  'an old entry that is missing': 'DELETE FROM ledger_entry WHERE position = 7',
  'an old entry that was erased without a record': `UPDATE ledger_entry
     SET content = NULL, salt = NULL, erased_by = 9 WHERE position = 7`,
  'an erasure that an earlier entry would record': `UPDATE ledger_entry
     SET content = NULL, salt = NULL, erased_by = 7 WHERE position = 7`,
  'an erasure recorded nowhere': `UPDATE ledger_entry
     SET content = NULL, salt = NULL, erased_by = 9000 WHERE position = 7`,
  'an old checkpoint that was not of this log': `UPDATE ledger_checkpoint SET note = replace(note, '300', '30')
     WHERE size = 300`,
}
for (const [what, damage] of Object.entries(DAMAGE_WITHIN)) {
  test(`the deep check finds ${what}`, async t => {
    const { ledger, db } = await grown(t)
    await ledger.check()
    db.exec(damage)
    await rejectsCode('ledger-damaged', (await reopen(db)).check())
  })
}

test('the deep check finds a tile that no longer matches its leaves', async t => {
  const { ledger, db } = await open(t)
  // Far enough that opening does not read the tile: it recomputes only those under the last, partial one.
  await fill(ledger, 65_536)
  db.exec('UPDATE ledger_tile SET hashes = zeroblob(8192) WHERE level = 0 AND position = 3')
  await rejectsCode('ledger-damaged', (await reopen(db)).check())
})

test('the deep check finds time that runs backwards', async t => {
  const { ledger, db, clock } = await open(t)
  await ledger.append({})
  clock.time -= 1000
  db.exec('UPDATE ledger_head SET timestamp = 0')
  await ledger.append({})
  await rejectsCode('ledger-damaged', ledger.check())
})

test('the deep check finds another commitment of an erased entry', async t => {
  const { ledger, db } = await open(t)
  await fill(ledger, 5)
  await ledger.erase(0, {})
  db.exec(
    'UPDATE ledger_segment SET leaves = CAST(substr(leaves, 1, 9) || zeroblob(32) || substr(leaves, 42) AS BLOB) WHERE first = 0',
  )
  await rejectsCode('ledger-damaged', ledger.check())
})

test('an entry that was changed behind the log is not shown', async t => {
  const { ledger, db } = await grown(t)
  db.exec("UPDATE ledger_entry SET content = '{}' WHERE position = 7")
  await rejectsCode('ledger-damaged', ledger.entry(7))
  await rejectsCode('ledger-damaged', ledger.receipt(7))
  await rejectsCode('ledger-damaged', ledger.entries({ from: 0, limit: 10 }))
  await ledger.entry(8)
})

test('a log keeps its key and its origin', async t => {
  const { db } = await grown(t)
  await rejectsCode('ledger-foreign', reopen(db, signingKey(2)))
  await rejectsCode('ledger-foreign', reopen(db, KEY, 'other.example/log'))
  await rejectsCode('key-malformed', reopen(db, KEY, 'two words'))
  assert.equal((await reopen(db)).size, 600)
})

test('a log of a newer version is left alone', async t => {
  const { db } = await grown(t)
  db.exec('INSERT INTO ledger_migration VALUES (1000)')
  await rejectsCode('ledger-newer', reopen(db))
  db.exec('DELETE FROM ledger_migration WHERE version = 1000')
  assert.equal((await reopen(db)).size, 600)
})

test('a connection that would acknowledge before it has synced is refused', async t => {
  const path = join(temporaryDirectory(t), 'store.db')
  const refused: Readonly<Record<string, LedgerErrorCode>> = {
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL': 'ledger-not-durable',
    'PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL': 'ledger-not-durable',
  }
  for (const [pragmas, code] of Object.entries(refused)) {
    const db = new DatabaseSync(path)
    db.exec(pragmas)
    await rejectsCode(code, reopen(db))
    db.close()
  }
  const db = openDatabase(path)
  await reopen(db)
  db.close()
})

test('a key that is no private Ed25519 key is a mistake of the caller', async t => {
  const db = openDatabase(join(temporaryDirectory(t), 'store.db'))
  t.after(() => db.close())
  await assert.rejects(reopen(db, 'key' as never), TypeError)
})

test('the database and its companions are their owner’s alone', async t => {
  const path = join(temporaryDirectory(t), 'store.db')
  writeFileSync(path, '')
  chmodSync(path, 0o666)
  const { ledger } = await open(t, path)
  await fill(ledger, 1)
  for (const file of [path, `${path}-wal`, `${path}-shm`])
    assert.equal(statSync(file).mode & 0o777, 0o600, file)
})

test('a file that is no database is damaged, not replaced', t => {
  const path = join(temporaryDirectory(t), 'store.db')
  writeFileSync(path, 'not a database, but somebody’s file\n'.repeat(100))
  throwsCode('ledger-damaged', () => openDatabase(path))
})

test('a database whose pages were overwritten is damaged', async t => {
  const { ledger, db, path } = await grown(t)
  await ledger.close()
  db.close()
  const { size } = statSync(path)
  // The first page stays, so that it is still a database.
  const bytes = Buffer.concat([readFileSync(path).subarray(0, 4096), Buffer.alloc(size - 4096, 0xff)])
  writeFileSync(path, bytes)
  const again = new DatabaseSync(path)
  t.after(() => again.close())
  again.exec('PRAGMA synchronous = FULL')
  await rejectsCode('ledger-damaged', reopen(again))
})
