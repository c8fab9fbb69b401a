// Takes files of a data directory away, cuts them and puts older ones in their place, in every mixture: what starts then
// is whole and no older than its mark, or it does not start, by a code and with a hint.
// CASEMATE_LONG_TESTS=1 tries some thousand mixtures.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { LedgerError } from '@casemate/ledger'
import { MarkFile } from '@casemate/ledger/node'
import * as fc from 'fast-check'
import { resolveConfig } from '../../src/config/resolve.ts'
import { StartError } from '../../src/errors.ts'
import { KekRotation } from '../../src/keys/kek-rotation.ts'
import { PendingWraps } from '../../src/keys/pending-wraps.ts'
import { type BrokerState, openState } from '../../src/lifecycle/state.ts'
import { secretPath } from '../../src/secret-path.ts'
import { Secrets } from '../../src/secrets/secrets.ts'
import { START, temporaryDirectory } from '../broker.ts'

const IS_LONG = process.env['CASEMATE_LONG_TESTS'] === '1'
const MIXTURES = IS_LONG ? 3_000 : 60
/** Points in the history at which a process could have been killed. */
const POINTS = IS_LONG ? 60 : 16

/** Changes at a point; in the long form the log has several bundles of 256 entries. */
const PACE = IS_LONG ? 6 : 1

const DATABASE = 'casemate.db'
const MARK = 'ledger-mark'
const FILES = [DATABASE, `${DATABASE}-wal`, `${DATABASE}-shm`, 'kek.json', MARK, 'lock'] as const
type FileName = (typeof FILES)[number]

const ACTOR = { system: 'test' } as const
const NAMES = ['a', 'b', 'c', 'd']
const contentOf = (name: string, version: number) => `content of ${name} ${version} `.repeat(200)

/** All files at one moment. */
type Snapshot = ReadonlyMap<FileName, Buffer>

interface Point {
  readonly files: Snapshot
  /** Entries that were acknowledged. */
  readonly size: number
}

interface Open {
  readonly state: BrokerState
  readonly secrets: Secrets
  readonly rotation: KekRotation
}

async function open(dataDir: string): Promise<Open> {
  const { values } = resolveConfig({ flags: { 'data-dir': dataDir }, env: {}, file: null })
  const now = () => START
  const state = await openState(values, { now, elapsedMs: () => 0 })
  const { store, kek, record } = state
  const pending = new PendingWraps()
  const secrets = new Secrets({ store, kek, pending, now })
  return { state, secrets, rotation: new KekRotation({ store, kek, pending, now, record }) }
}

function read(dataDir: string): Snapshot {
  const there = FILES.filter(name => existsSync(join(dataDir, name)))
  return new Map(there.map(name => [name, readFileSync(join(dataDir, name))]))
}

function write(dataDir: string, files: Snapshot): void {
  for (const name of FILES) {
    rmSync(join(dataDir, name), { force: true })
    const content = files.get(name)
    if (content !== undefined) writeFileSync(join(dataDir, name), content, { mode: 0o600 })
  }
}

/** A life with all that moves bytes between the files: changes, checkpoints shown, restarts, other programs, rotations. */
async function live(dataDir: string): Promise<Point[]> {
  const points: Point[] = []
  let running = await open(dataDir)
  const change = async (at: number) => {
    const name = NAMES[at % NAMES.length]!
    const path = secretPath('default', 'key', name)
    const version = ((await running.secrets.find(path))?.version ?? 0) + 1
    await running.secrets.put(path, Buffer.from(contentOf(name, version)), { actor: ACTOR, expected: 'any' })
  }
  const now = () => points.push({ files: read(dataDir), size: running.state.ledger.size })
  for (let point = 0; point < POINTS; point++) {
    for (let at = 0; at < (1 + (point % 5)) * PACE; at++) await change(point + at)
    if (point % 3 === 0) await running.state.ledger.checkpoint()
    if (point % 4 === 1) {
      const other = new DatabaseSync(join(dataDir, DATABASE))
      other.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      other.close()
    }
    if (point % 5 === 2) await running.rotation.rotate(ACTOR)
    if (point % 6 === 5) {
      await running.state.close()
      now()
      running = await open(dataDir)
    }
    now()
  }
  await running.state.close()
  now()
  return points
}

const fate = fc.oneof(
  { weight: 5, arbitrary: fc.constant('kept' as const) },
  { weight: 2, arbitrary: fc.constant('removed' as const) },
  { weight: 2, arbitrary: fc.constant('older' as const) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }) },
)
type Fate = 'kept' | 'removed' | 'older' | number

/** A number is the share that is left of the file. */
function mix(current: Snapshot, older: Snapshot, fates: Readonly<Record<FileName, Fate>>): Snapshot {
  const mixed = new Map<FileName, Buffer>()
  for (const name of FILES) {
    const what = fates[name]
    const content = (what === 'older' ? older : current).get(name)
    if (content === undefined || what === 'removed') continue
    mixed.set(
      name,
      typeof what === 'number' ? content.subarray(0, Math.floor(content.length * what)) : content,
    )
  }
  return mixed
}

/** What the log says was put is there, and nothing else; every entry, tile and checkpoint fits. */
async function demandWhole({ state, secrets }: Open): Promise<void> {
  const { ledger } = state
  await ledger.check()
  const put = new Map<string, number>()
  for (let from = 0; from < ledger.size; from += 1_000) {
    for (const { entry } of await ledger.entries({ from, limit: 1_000 })) {
      if (entry?.['type'] === 'secret.put') put.set(entry['secret'] as string, Number(entry['version']))
    }
  }
  for (const name of NAMES) {
    const path = secretPath('default', 'key', name)
    const version = (await secrets.find(path))?.version
    assert.equal(version, put.get(`default/key/${name}`), name)
    if (version === undefined) continue
    const content = await secrets.withPlaintext(path, version, bytes => Buffer.from(bytes).toString())
    assert.equal(content, contentOf(name, version))
  }
}

/** Sizes in a write-ahead log, and where a frame says that it commits: https://sqlite.org/fileformat2.html#walformat */
const [WAL_HEADER, FRAME_HEADER, PAGE_SIZE_AT, COMMIT_AT] = [32, 24, 8, 4]

/** A first start that is killed leaves a write-ahead log that is cut before its first commit: SQLite reads nothing of it. */
function hasCommit(log: Buffer): boolean {
  if (log.length < WAL_HEADER) return false
  const frame = FRAME_HEADER + log.readUInt32BE(PAGE_SIZE_AT)
  for (let at = WAL_HEADER; at + frame <= log.length; at += frame) {
    if (log.readUInt32BE(at + COMMIT_AT) !== 0) return true
  }
  return false
}

/** Whether there is nothing beside the database by which a former one could be known. */
const isBare = (files: Snapshot) =>
  !hasCommit(files.get(`${DATABASE}-wal`) ?? Buffer.alloc(0)) &&
  (['kek.json', MARK] as const).every(name => (files.get(name)?.length ?? 0) === 0)

function markIn(dataDir: string): number | null {
  const mark = new MarkFile(join(dataDir, MARK))
  mark.close()
  return mark.kept?.size ?? null
}

/** Whether it started. */
async function start(dataDir: string, files: Snapshot, atLeast: number): Promise<boolean> {
  write(dataDir, files)
  const marked = markIn(dataDir)
  let opened: Open
  try {
    opened = await open(dataDir)
  } catch (error) {
    assert.ok(error instanceof StartError || error instanceof LedgerError, String(error))
    assert.ok(error.hint !== undefined, `${error.code}: ${error.message}`)
    return false
  }
  try {
    const { size } = opened.state.ledger
    if (isBare(files)) {
      // A first start: what is left of a database has no entry either.
      assert.ok(size <= 1, `started with ${size} entries, and nothing beside them`)
      return true
    }
    assert.ok(marked !== null, 'started without a mark')
    assert.ok(size >= Math.max(marked, atLeast), `${size} entries, marked ${marked}, acknowledged ${atLeast}`)
    await demandWhole(opened)
    return true
  } finally {
    await opened.state.close()
  }
}

async function lived(t: TestContext) {
  const [home, dataDir] = [temporaryDirectory(), temporaryDirectory()]
  t.after(() => {
    for (const each of [home, dataDir]) rmSync(each, { recursive: true })
  })
  return { points: await live(home), dataDir }
}

test('a data directory of any moment starts with all that was acknowledged', async t => {
  const { points, dataDir } = await lived(t)
  for (const { files, size } of points) assert.ok(await start(dataDir, files, size))
})

test('one file that is gone is missed, but for those that hold nothing', async t => {
  const { points, dataDir } = await lived(t)
  const { files, size } = points.findLast(point => (point.files.get(`${DATABASE}-wal`)?.length ?? 0) > 0)!
  const without = (name: FileName) => new Map([...files].filter(([each]) => each !== name))
  for (const name of FILES) {
    const isNothing = name === 'lock' || name === `${DATABASE}-shm`
    assert.equal(await start(dataDir, without(name), size), isNothing, name)
  }
})

test('no mixture of files starts as a broker that is empty, older or not whole', async t => {
  const { points, dataDir } = await lived(t)
  let [started, refused] = [0, 0]
  const fates = fc.record(
    Object.fromEntries(FILES.map(name => [name, fate])) as Record<FileName, typeof fate>,
  )
  await fc.assert(
    fc.asyncProperty(
      fc.nat(points.length - 1),
      fc.nat(points.length - 1),
      fates,
      async (one, other, what) => {
        const [current, older] = [points[Math.max(one, other)]!, points[Math.min(one, other)]!]
        const files = mix(current.files, older.files, what)
        // An older mark knows of less; the newest one of everything.
        const atLeast = what[MARK] === 'kept' ? current.size : 0
        if (await start(dataDir, files, atLeast)) started++
        else refused++
      },
    ),
    { numRuns: MIXTURES },
  )
  t.diagnostic(`${started} mixtures started, ${refused} were refused`)
  assert.ok(started > 0 && refused > 0)
})
