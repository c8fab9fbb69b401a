// A database file and a write-ahead log of two times: what SQLite reads as one is two halves, and is refused.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Ledger, MarkFile, openDatabase, openLedger, SqliteLedger } from '../../src/node/index.ts'
import { fill, KEY, ORIGIN, open, START, temporaryDirectory } from './fixture.ts'
import { demandWholeWhereTaken, type Halves, isTaken, moveIntoFile, read } from './halves.ts'

test('an older file under a newer write-ahead log is refused, from its first batch on', async t => {
  const { path, db, ledger } = await open(t)
  const copy = join(temporaryDirectory(t), 'store.db')
  await fill(ledger, 300)
  moveIntoFile(db)
  await fill(ledger, 100)
  const older = read(path)
  await fill(ledger, 2_000)
  moveIntoFile(db)
  for (const more of [1, 1, 300]) {
    await fill(ledger, more)
    const newer = read(path)
    assert.equal(isTaken(copy, older, newer), false)
    assert.equal(isTaken(copy, newer, newer), true)
    assert.equal(isTaken(copy, older, older), true)
  }
})

test('a newer file under an older write-ahead log of the same run is refused', async t => {
  const { path, db, ledger } = await open(t)
  const copy = join(temporaryDirectory(t), 'store.db')
  await fill(ledger, 300)
  moveIntoFile(db)
  await fill(ledger, 10)
  const older = read(path)
  for (const more of [1, 300]) {
    await fill(ledger, more)
    moveIntoFile(db)
    assert.equal(isTaken(copy, read(path), older), false)
    assert.equal(isTaken(copy, read(path), read(path)), true)
  }
})

test('a backup that was made while the write-ahead log ran is older than the next one', async t => {
  const { path, db, ledger } = await open(t)
  const directory = temporaryDirectory(t)
  const [copy, backup] = [join(directory, 'store.db'), join(directory, 'backup.db')]
  await fill(ledger, 10)
  moveIntoFile(db)
  await fill(ledger, 300)
  db.exec(`VACUUM INTO '${backup}'`)
  await fill(ledger, 300)
  moveIntoFile(db)
  await fill(ledger, 1)
  assert.equal(isTaken(copy, { ...read(path), file: readFileSync(backup) }, read(path)), false)
})

test('no two moments of a log are taken for one but where they are whole', async t => {
  const { path, db, ledger } = await open(t)
  const copy = join(temporaryDirectory(t), 'store.db')
  // So that the write-ahead log begins anew every few batches.
  db.exec('PRAGMA wal_autocheckpoint = 20')
  const moments: Halves[] = []
  for (let at = 0; at < 16; at++) {
    await fill(ledger, 1 + ((at * 37) % 90))
    if (at % 5 === 0) await ledger.checkpoint()
    moments.push(read(path))
  }
  const { taken, refused } = await demandWholeWhereTaken({ copy, moments })
  assert.ok(taken > 5 && refused > 50, `${taken} taken, ${refused} refused`)
})

test('a file that was left in the middle of being filled is not called older', async t => {
  const { path, db, ledger } = await open(t)
  const copy = join(temporaryDirectory(t), 'store.db')
  await fill(ledger, 300)
  moveIntoFile(db)
  await fill(ledger, 300)
  const before = read(path)
  moveIntoFile(db)
  const after = readFileSync(path)
  for (let pages = 0; pages * 4096 < after.length; pages++) {
    const cut = pages * 4096 + 700
    const file = Buffer.concat([after.subarray(0, cut), before.file.subarray(cut)])
    assert.ok(isTaken(copy, { ...before, file }, before), `after ${pages} pages`)
  }
})

test('a file that cannot be read alone is taken where all of it is sound together', async t => {
  const { path, db, ledger } = await open(t)
  const copy = join(temporaryDirectory(t), 'store.db')
  const head = Number(
    db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'ledger_head'").get()?.['rootpage'],
  )
  const unreadable = (file: Buffer) => Buffer.from(file).fill(0x55, (head - 1) * 4096, head * 4096)
  await fill(ledger, 300)
  moveIntoFile(db)
  const older = readFileSync(path)
  await fill(ledger, 2_000)
  moveIntoFile(db)
  await fill(ledger, 1)
  const newer = read(path)
  assert.ok(isTaken(copy, { ...newer, file: unreadable(newer.file) }, newer))
  assert.equal(isTaken(copy, { ...newer, file: unreadable(older) }, newer), false)
})

test('a write-ahead log that is moved away and put back under a running log did not begin anew', async t => {
  for (const put of [() => undefined, (name: string) => writeFileSync(name, randomBytes(64))]) {
    const { path, db, ledger } = await open(t)
    const copy = join(temporaryDirectory(t), 'store.db')
    await fill(ledger, 3)
    moveIntoFile(db)
    await fill(ledger, 3)
    renameSync(`${path}-wal`, `${path}-moved`)
    put(`${path}-wal`)
    await fill(ledger, 2)
    put(`${path}-wal`)
    await fill(ledger, 2)
    rmSync(`${path}-wal`, { force: true })
    renameSync(`${path}-moved`, `${path}-wal`)
    await fill(ledger, 2)
    assert.ok(isTaken(copy, read(path), read(path)))
    const [noted] = db.prepare('SELECT size FROM ledger_file').all()
    assert.equal(noted?.['size'], 3)
  }
})

test('a file of two runs ago is refused where no entry was appended since', async t => {
  const { path, db, ledger } = await open(t)
  const copy = join(temporaryDirectory(t), 'store.db')
  db.exec('CREATE TABLE state (value INTEGER)')
  const change = [{ sql: 'INSERT INTO state VALUES (1)', values: [], expected: 1 }] as const
  await fill(ledger, 3)
  moveIntoFile(db)
  await ledger.probe(change)
  const older = read(path)
  await ledger.probe(change)
  moveIntoFile(db)
  await ledger.probe(change)
  assert.equal(isTaken(copy, older, read(path)), false)
  assert.ok(isTaken(copy, read(path), read(path)))
})

test('a mark that cannot be written does not keep the size of the file from being noted in time', async t => {
  const directory = temporaryDirectory(t)
  const [path, copy] = [join(directory, 'store.db'), join(directory, 'copy.db')]
  const [db, mark] = [openDatabase(path), new MarkFile(join(directory, 'mark'))]
  const now = () => new Date(START)
  const ledger = await openLedger({
    database: new SqliteLedger(db),
    origin: ORIGIN,
    signingKey: KEY,
    now,
    mark,
  })
  await fill(ledger, 300)
  moveIntoFile(db)
  const written = t.mock.method(mark, 'write', () => assert.fail('no room'), { times: 1 })
  await fill(ledger, 1)
  assert.equal(written.mock.callCount(), 1)
  await fill(ledger, 1)
  assert.ok(isTaken(copy, read(path), read(path)))
  await ledger.close()
  mark.close()
  db.close()
})

/** In one batch, which is longer than what a commit leaves in the write-ahead log. */
const appendLong = (ledger: Ledger) =>
  Promise.all(Array.from({ length: 150 }, () => ledger.append({ long: 'x'.repeat(50_000) })))

test('a batch that is in the file as soon as it is committed leaves a file of its time', async t => {
  const { path, db, ledger } = await open(t)
  const copy = join(temporaryDirectory(t), 'store.db')
  await fill(ledger, 3)
  moveIntoFile(db)
  const older = read(path)
  for (let round = 0; round < 4; round++) {
    await appendLong(ledger)
    for (let more = 0; more < 3; more++) {
      assert.ok(isTaken(copy, read(path), read(path)), `round ${round}, ${more} more`)
      assert.equal(isTaken(copy, older, read(path)), false)
      await fill(ledger, 1)
    }
  }
})

test('a file from before runs had names is of its time beside the run after', async t => {
  const { path, db, ledger } = await open(t)
  await fill(ledger, 3)
  db.exec('UPDATE ledger_file SET run = NULL, run_before = NULL, is_settled = 0')
  moveIntoFile(db)
  await ledger.append({})
  assert.ok(isTaken(join(temporaryDirectory(t), 'store.db'), read(path), read(path)))
})

test('the first write to an empty write-ahead log notes the run that it begins, and no other', async t => {
  const { db, ledger, database } = await open(t)
  await fill(ledger, 3)
  const names = () => ({ ...db.prepare('SELECT run, run_before, run_older FROM ledger_file').get() })
  const { run } = names()
  assert.ok(await database.overwriteErased())
  await fill(ledger, 1)
  const { run: next, ...before } = names()
  assert.notEqual(next, run)
  assert.deepEqual(before, { run_before: run, run_older: null })
})
