// A database file and a write-ahead log of two times, where several processes write: whoever does first in a run notes it.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FileSize } from '../../src/node/file-size.ts'
import { entryOf, type Fixture, fill, open, temporaryDirectory } from './fixture.ts'
import { demandWholeWhereTaken, type Halves, isTaken, moveIntoFile, read } from './halves.ts'

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
