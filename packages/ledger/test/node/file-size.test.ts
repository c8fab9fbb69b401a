// A database file and a write-ahead log of two times: what SQLite reads as one is two halves, and is refused.
import assert from 'node:assert/strict'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { LedgerError } from '../../src/index.ts'
import { MarkFile, openDatabase, openLedger, SqliteLedger, verifyFile } from '../../src/node/index.ts'
import { fill, KEY, ORIGIN, open, START, temporaryDirectory } from './fixture.ts'

interface Halves {
  readonly file: Buffer
  readonly writeAheadLog: Buffer
}

const read = (path: string): Halves => ({
  file: readFileSync(path),
  writeAheadLog: readFileSync(`${path}-wal`),
})

/** Puts the two beside each other, and says whether they are taken for one. */
function isTaken(path: string, { file }: Halves, { writeAheadLog }: Halves): boolean {
  rmSync(`${path}-shm`, { force: true })
  writeFileSync(path, file)
  writeFileSync(`${path}-wal`, writeAheadLog)
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    verifyFile(db)
    return true
  } catch (error) {
    assert.ok(error instanceof LedgerError && error.code === 'ledger-damaged', String(error))
    // Of some mixtures SQLite itself says that it cannot read them.
    if (error.message === 'the database file cannot be read') return false
    assert.match(error.message, /is (older|newer) than the write-ahead log beside it/)
    assert.match(error.hint ?? '', /-wal and .*-shm away/)
    return false
  } finally {
    db.close()
  }
}

/** What opens is checked as a whole. */
async function isWhole(path: string): Promise<boolean> {
  const db = openDatabase(path)
  try {
    const ledger = await openLedger({
      database: new SqliteLedger(db),
      origin: ORIGIN,
      signingKey: KEY,
      now: () => new Date(START),
    })
    await ledger.check()
    const [found] = db.prepare('PRAGMA integrity_check(1)').all()
    return found?.['integrity_check'] === 'ok'
  } catch {
    return false
  } finally {
    db.close()
  }
}

function moveIntoFile(db: DatabaseSync): void {
  assert.equal(db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()?.['busy'], 0)
}

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
  let [taken, refused] = [0, 0]
  for (const [at, newer] of moments.entries()) {
    assert.ok(isTaken(copy, newer, newer), `moment ${at} is of one time`)
    for (const [before, older] of moments.slice(0, at).entries()) {
      for (const [file, writeAheadLog] of [
        [older, newer],
        [newer, older],
      ] as const) {
        if (!isTaken(copy, file, writeAheadLog)) refused++
        else if (++taken % 4 === 0) assert.ok(await isWhole(copy), `moments ${before} and ${at}`)
      }
    }
  }
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
  const { path, ledger } = await open(t)
  const copy = join(temporaryDirectory(t), 'store.db')
  await fill(ledger, 3)
  renameSync(`${path}-wal`, `${path}-moved`)
  await fill(ledger, 2)
  renameSync(`${path}-moved`, `${path}-wal`)
  await fill(ledger, 2)
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
