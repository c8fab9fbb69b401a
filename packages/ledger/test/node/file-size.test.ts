// A database file and a write-ahead log of two times: what SQLite reads as one is two halves, and is refused.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { LedgerError } from '../../src/index.ts'
import { FileSize } from '../../src/node/file-size.ts'
import {
  type Ledger,
  MarkFile,
  openDatabase,
  openLedger,
  SqliteLedger,
  verifyFile,
} from '../../src/node/index.ts'
import { entryOf, type Fixture, fill, KEY, ORIGIN, open, START, temporaryDirectory } from './fixture.ts'

const IS_LONG = process.env['CASEMATE_LONG_TESTS'] === '1'
/** A writer that has just ended notes nothing after its last commit, and leaves that to the others. */
function endings(t: TestContext): { isEnding: boolean } {
  const state = { isEnding: false }
  const asked = Object.getOwnPropertyDescriptor(FileSize.prototype, 'isOfOlderRun')
  t.mock.getter(FileSize.prototype, 'isOfOlderRun', function (this: FileSize) {
    return !state.isEnding && asked?.get?.call(this) === true
  })
  return state
}

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

interface Moments {
  readonly copy: string
  readonly moments: readonly Halves[]
}

/** Each moment is whole; of a file and a write-ahead log of two moments those that are taken for one are, too. */
async function demandWholeWhereTaken({
  copy,
  moments,
}: Moments): Promise<{ taken: number; refused: number }> {
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
  return { taken, refused }
}

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

/** What a writer does, among others, by a number that a test draws. */
async function act({ ledger, db }: Fixture, number: number): Promise<void> {
  if (number % 11 === 0) db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  else if (number % 5 === 0) db.exec('PRAGMA wal_checkpoint(PASSIVE)')
  else if (number % 7 === 0) await ledger.probe([])
  else if (number % 4 === 0) await ledger.checkpoint()
  else await Promise.all(Array.from({ length: 1 + (number % 60) }, () => ledger.append(entryOf(number))))
}

test('no two moments of a log that several write are taken for one but where they are whole', async t => {
  const moments: Halves[] = []
  const first = await open(t)
  const writers = [first, await open(t, first.path), await open(t, first.path)]
  const copy = join(temporaryDirectory(t), 'store.db')
  for (const { db } of writers) db.exec('PRAGMA wal_autocheckpoint = 20')
  moveIntoFile(first.db)
  const writing = endings(t)
  const rounds = IS_LONG ? 1_500 : 90
  for (let at = 0, drawn = 1; at < rounds; at++) {
    drawn = (drawn * 48_271) % 2_147_483_647
    writing.isEnding = drawn % 3 === 0
    await act(writers[(drawn % 13) % 3]!, Math.floor(drawn / 13))
    const now = read(first.path)
    assert.ok(isTaken(copy, now, now), `after ${at} writes`)
    if (at % Math.floor(rounds / 15) === 0) moments.push(now)
  }
  const { taken, refused } = await demandWholeWhereTaken({ copy, moments })
  assert.ok(refused > 50, `${taken} taken, ${refused} refused`)
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

test('a file that another writer filled before this one wrote is not called older', async t => {
  const one = await open(t)
  const other = await open(t, one.path)
  const copy = join(temporaryDirectory(t), 'store.db')
  for (const more of [300, 1, 40]) {
    await fill(one.ledger, more)
    await other.ledger.append({})
    moveIntoFile(one.db)
    // One begins a new run, in which the other writes next.
    await one.ledger.append({})
    await other.ledger.append({})
    assert.ok(isTaken(copy, read(one.path), read(one.path)))
  }
})

test('an older file is refused whichever writer began the run, and which wrote last', async t => {
  const both = [await open(t)]
  both.push(await open(t, both[0]!.path))
  const { path, db } = both[0]!
  const copy = join(temporaryDirectory(t), 'store.db')
  moveIntoFile(db)
  for (const turn of [0, 1, 0, 1]) {
    const [first, second] = [both[turn]!.ledger, both[1 - turn]!.ledger]
    await first.append({})
    const older = read(path)
    await second.append({})
    moveIntoFile(db)
    for (const writer of [first, second, second]) {
      await writer.append({})
      assert.equal(isTaken(copy, older, read(path)), false)
      assert.ok(isTaken(copy, read(path), read(path)))
    }
  }
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

test('where each write begins a run, the file is of its time and an older one is not', async t => {
  const one = await open(t)
  const other = await open(t, one.path)
  const copy = join(temporaryDirectory(t), 'store.db')
  for (const { db } of [one, other]) db.exec('PRAGMA wal_autocheckpoint = 1')
  await fill(one.ledger, 1)
  let older = read(one.path)
  for (let at = 0; at < 24; at++) {
    const { ledger } = at % 3 === 0 ? other : one
    if (at % 4 === 0) await ledger.probe([])
    else if (at % 4 === 1) await ledger.checkpoint()
    else await ledger.append({})
    assert.ok(isTaken(copy, read(one.path), read(one.path)), `write ${at}`)
    if (at % 8 !== 7) continue
    assert.equal(isTaken(copy, older, read(one.path)), false, `before write ${at}`)
    older = read(one.path)
  }
})

test('what is noted of a run is the most that any writer knows, whoever notes first', async t => {
  const one = await open(t)
  const [other, third] = [await open(t, one.path), await open(t, one.path)]
  const noted = () => one.db.prepare('SELECT size FROM ledger_file').get()?.['size']
  const writing = endings(t)
  const beginRun = async () => {
    moveIntoFile(one.db)
    writing.isEnding = true
    await one.ledger.append({})
    writing.isEnding = false
  }
  await fill(one.ledger, 300)
  moveIntoFile(one.db)
  await one.ledger.append({})
  await other.ledger.append({})
  assert.equal(noted(), 300)
  await beginRun()
  // It was there before the entry that it wrote itself, and knows of no more.
  for (let times = 0; times < 2; times++) {
    await other.ledger.append({})
    assert.equal(noted(), 301)
  }
  await one.ledger.append({})
  assert.equal(noted(), 302)
  await beginRun()
  await third.ledger.append({})
  assert.equal(noted(), 302)
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
