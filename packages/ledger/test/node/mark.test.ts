// The mark outside the database: a log that lost its end, or is another one, does not open in silence.
import assert from 'node:assert/strict'
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import {
  type Ledger,
  type LedgerOptions,
  MarkFile,
  openDatabase,
  openLedger,
  SqliteLedger,
  verifyMark,
} from '../../src/node/index.ts'
import { rejectsCode, throwsCode } from '../expect-code.ts'
import { fill, KEY, ORIGIN, START, signingKey, temporaryDirectory } from './fixture.ts'

const COPY_BYTES = 4096

interface Marked {
  readonly directory: string
  readonly path: string
  readonly markPath: string
}

function place(t: TestContext): Marked {
  const directory = temporaryDirectory(t)
  return { directory, path: join(directory, 'store.db'), markPath: join(directory, 'mark') }
}

interface Opened {
  readonly ledger: Ledger
  readonly db: DatabaseSync
  readonly mark: MarkFile
  /** As a process ends that is killed: nothing more is written. */
  readonly drop: () => void
  readonly close: () => Promise<void>
}

async function openMarked({ path, markPath }: Marked, options: Partial<LedgerOptions> = {}): Promise<Opened> {
  const db = openDatabase(path)
  const mark = new MarkFile(markPath)
  const drop = () => {
    mark.close()
    db.close()
  }
  try {
    const ledger = await openLedger({
      database: new SqliteLedger(db),
      mark,
      origin: ORIGIN,
      signingKey: KEY,
      now: () => new Date(START),
      ...options,
    })
    const close = async () => {
      await ledger.close()
      drop()
    }
    return { ledger, db, mark, drop, close }
  } catch (error) {
    drop()
    throw error
  }
}

/** A log of so many entries that was closed. */
async function grown(at: Marked, entries: number, options: Partial<LedgerOptions> = {}): Promise<void> {
  const { ledger, close } = await openMarked(at, options)
  await fill(ledger, entries)
  await close()
}

async function openMarkedSize(at: Marked): Promise<number> {
  const { ledger, drop } = await openMarked(at)
  drop()
  return ledger.size
}

/** What a look from outside says, and whether it left the files as they were. */
async function look({ path, markPath }: Marked): Promise<number> {
  const before = readFileSync(path)
  const db = new DatabaseSync(path, { readOnly: true })
  const mark = new MarkFile(markPath)
  try {
    return await verifyMark(db, mark)
  } finally {
    mark.close()
    db.close()
    assert.deepEqual(readFileSync(path), before)
  }
}

test('a log whose database is older than its mark does not open, and says how much is missing', async t => {
  const at = place(t)
  await grown(at, 300)
  copyFileSync(at.path, `${at.path}.older`)
  await grown(at, 7)
  assert.equal(await look(at), 307)
  copyFileSync(`${at.path}.older`, at.path)
  await assert.rejects(openMarked(at), {
    code: 'ledger-cut',
    message: /its last 7 entries/,
    got: '300 entries',
  })
  await rejectsCode('ledger-cut', look(at))
  // Nothing was changed by asking twice.
  await rejectsCode('ledger-cut', openMarked(at))
})

test('an append is in the mark before it is acknowledged, also where nobody asked for a checkpoint', async t => {
  const at = place(t)
  const { ledger, mark, drop } = await openMarked(at)
  await fill(ledger, 3)
  assert.equal(mark.kept?.size, 3)
  drop()
  assert.equal(new MarkFile(at.markPath).kept?.size, 3)
  rmSync(at.path)
  await rejectsCode('ledger-cut', openMarked(at))
})

test('a database that another history was written to does not open', async t => {
  const at = place(t)
  await grown(at, 300)
  copyFileSync(at.path, `${at.path}.older`)
  copyFileSync(at.markPath, `${at.markPath}.older`)
  await grown(at, 5)
  copyFileSync(at.markPath, `${at.markPath}.newer`)
  copyFileSync(`${at.path}.older`, at.path)
  copyFileSync(`${at.markPath}.older`, at.markPath)
  await grown(at, 9)
  copyFileSync(`${at.markPath}.newer`, at.markPath)
  await rejectsCode('ledger-forked', openMarked(at))
  await rejectsCode('ledger-forked', look(at))
})

test('a mark that is missing, damaged or of another log is no mark to go by', async t => {
  const at = place(t)
  await grown(at, 3)
  rmSync(at.markPath)
  await rejectsCode('mark-missing', openMarked(at))
  await rejectsCode('mark-missing', look(at))
  for (const content of ['', 'casemate-ledger-mark/1\n', 'x'.repeat(2 * COPY_BYTES)]) {
    writeFileSync(at.markPath, content)
    await rejectsCode('mark-damaged', openMarked(at))
  }
  rmSync(at.markPath)
  const other = place(t)
  await grown(other, 1, { signingKey: signingKey(2) })
  copyFileSync(other.markPath, at.markPath)
  await rejectsCode('mark-foreign', openMarked(at))
})

test('a mark is a file of its own: a link in its place is not followed', async t => {
  const at = place(t)
  await grown(at, 2)
  renameSync(at.markPath, `${at.markPath}.elsewhere`)
  symlinkSync(`${at.markPath}.elsewhere`, at.markPath)
  throwsCode('mark-damaged', () => new MarkFile(at.markPath))
})

test('a log that never had a mark gets one', async t => {
  const at = place(t)
  const db = openDatabase(at.path)
  const unmarked = await openLedger({
    database: new SqliteLedger(db),
    origin: ORIGIN,
    signingKey: KEY,
    now: () => new Date(START),
  })
  await fill(unmarked, 5)
  db.exec('DROP TABLE ledger_marked; DROP TABLE ledger_file; DELETE FROM ledger_migration WHERE version > 1')
  db.close()
  assert.equal(await look(at), 5)
  const { mark, close } = await openMarked(at)
  assert.equal(mark.kept?.size, 5)
  assert.equal(statSync(at.markPath).mode & 0o777, 0o600)
  await close()
})

test('a write to the mark that is torn anywhere leaves a state that was', async t => {
  const at = place(t)
  const { ledger, mark, close } = await openMarked(at)
  await fill(ledger, 1)
  const states = [mark.kept!]
  const before = readFileSync(at.markPath)
  await fill(ledger, 1)
  states.push(mark.kept!)
  const after = readFileSync(at.markPath)
  await close()
  const changed = before.subarray(0, COPY_BYTES).equals(after.subarray(0, COPY_BYTES)) ? COPY_BYTES : 0
  for (const cut of [...Array(300).keys(), COPY_BYTES - 1, COPY_BYTES]) {
    const torn = Buffer.from(before)
    after.copy(torn, changed, changed, changed + cut)
    writeFileSync(at.markPath, torn)
    const found = new MarkFile(at.markPath)
    assert.deepEqual(found.kept, states[(found.kept?.size ?? 0) - 1], `cut at ${cut}`)
    found.close()
  }
  ;(await openMarked(at)).drop()
})

test('a checkpoint is not shown where the mark cannot be written, and a probe says so', async t => {
  const at = place(t)
  const { ledger, drop } = await openMarked(at)
  await fill(ledger, 1)
  await ledger.checkpoint()
  await fill(ledger, 1)
  rmSync(at.markPath)
  mkdirSync(at.markPath)
  await rejectsCode('ledger-unavailable', ledger.checkpoint())
  await rejectsCode('ledger-unavailable', ledger.probe([]))
  assert.ok(ledger.isRefusing)
  rmSync(at.markPath, { recursive: true })
  await ledger.probe([])
  const { size } = await ledger.checkpoint()
  assert.equal(new MarkFile(at.markPath).kept?.size, size)
  drop()
})

test('a mark that is removed or replaced under a running log is there again with the next checkpoint', async t => {
  const at = place(t)
  const { ledger, close } = await openMarked(at)
  for (const put of [() => undefined, () => writeFileSync(at.markPath, 'somebody’s')]) {
    await fill(ledger, 1)
    rmSync(at.markPath)
    put()
    await ledger.checkpoint()
    assert.equal(new MarkFile(at.markPath).kept?.size, ledger.size)
  }
  await close()
  ;(await openMarked(at)).drop()
})

test('a mark that is removed under a running log is there again when the log is closed', async t => {
  const at = place(t)
  const { ledger, close } = await openMarked(at)
  await fill(ledger, 2)
  rmSync(at.markPath)
  await close()
  assert.equal(new MarkFile(at.markPath).kept?.size, 2)
})

test('a size that was signed is not signed with another root, and the log fails', async t => {
  const at = place(t)
  const told: string[] = []
  const { ledger, db, drop } = await openMarked(at, { onFailure: ({ code }) => void told.push(code) })
  await fill(ledger, 4)
  db.exec("INSERT INTO ledger_checkpoint VALUES (4, 'what was shown at four entries')")
  await rejectsCode('ledger-forked', ledger.checkpoint())
  await rejectsCode('ledger-forked', ledger.receipt(0))
  await rejectsCode('ledger-forked', ledger.append({}))
  assert.deepEqual(told, ['ledger-forked'])
  drop()
})

test('a restored log signs nothing until it has grown beyond what was lost', async t => {
  const at = place(t)
  await grown(at, 2)
  copyFileSync(at.path, `${at.path}.older`)
  await grown(at, 3)
  copyFileSync(`${at.path}.older`, at.path)
  const { ledger, mark, close } = await openMarked(at, { isRestored: true })
  await rejectsCode('ledger-cut', ledger.checkpoint())
  await ledger.append({ restored: true })
  await rejectsCode('ledger-cut', ledger.checkpoint())
  // What is kept stays, so that a start that is cut off here is a restored one again.
  assert.equal(mark.kept?.size, 5)
  await rejectsCode('ledger-cut', look(at))
  await fill(ledger, 2)
  assert.equal(ledger.size, 5)
  await rejectsCode('ledger-forked', ledger.checkpoint())
  await close()
})

test('a restored log signs whatever the mark of another log remembers', async t => {
  const [at, other] = [place(t), place(t)]
  await grown(at, 2)
  await grown(other, 5, { signingKey: signingKey(2) })
  copyFileSync(other.markPath, at.markPath)
  const { ledger, close } = await openMarked(at, { isRestored: true })
  assert.equal((await ledger.checkpoint()).size, 2)
  await close()
})

test('a log that is restored without its mark is refused until that is on record', async t => {
  const at = place(t)
  await grown(at, 2)
  rmSync(at.markPath)
  ;(await openMarked(at, { isRestored: true })).drop()
  await rejectsCode('mark-missing', openMarked(at))
  const { ledger, drop } = await openMarked(at, { isRestored: true })
  await ledger.append({ restored: true })
  drop()
  assert.equal(await openMarkedSize(at), 3)
})

test('a log that was about to begin when its process ended is not missed, and then has a mark of its own', async t => {
  const at = place(t)
  const mark = new MarkFile(at.markPath)
  mark.begin()
  mark.close()
  const { ledger, drop } = await openMarked(at)
  await fill(ledger, 2)
  drop()
  const found = new MarkFile(at.markPath)
  // A log that has begun does not begin once more.
  found.begin()
  assert.deepEqual([found.isBlank, found.kept?.size], [false, 2])
  found.close()
  rmSync(at.path)
  await rejectsCode('ledger-cut', openMarked(at))
})

test('a restored log that has grown beyond its mark is a log as any other', async t => {
  const at = place(t)
  await grown(at, 2)
  copyFileSync(at.path, `${at.path}.older`)
  await grown(at, 3)
  copyFileSync(`${at.path}.older`, at.path)
  const { ledger, close } = await openMarked(at, { isRestored: true })
  await fill(ledger, 4)
  assert.equal((await ledger.checkpoint()).size, 6)
  await close()
  const again = await openMarked(at)
  await again.ledger.check()
  await again.close()
})
