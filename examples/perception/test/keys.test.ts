// No key touches a disk: the real processes run under load, and every file that they wrote is searched for the key, as
// is everything else of theirs that a system could write out. What is planted is found, so finding nothing counts.
// CASEMATE_LONG_TESTS=1 loads them for longer.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openBrokerRoot } from '@casemate/enclave'
import { startParty } from '../../stage/child.ts'
import { openStage, type Stage } from '../../stage/stage.ts'
import type { FloorReady } from '../bench/floor-server.ts'
import { CALIBRATION } from '../calibration.ts'
import { sealCalibration } from '../camera.ts'
import { type CameraReady, cameraStart } from '../camera-process.ts'
import { openPictures } from '../pictures.ts'
import { ENTRY } from '../run.ts'
import { CALIBRATION_FILE } from '../service.ts'
import { findKey, patternsOf, type Sought } from './key-search.ts'
import { familyOf, filesIn, statusOf, type WrittenFile, writtenFiles } from './process-files.ts'

const notLinux = process.platform === 'linux' ? false : 'what processes write is seen through /proc'
const IS_LONG = process.env['CASEMATE_LONG_TESTS'] === '1'
const LOAD = { rounds: 2, frames: IS_LONG ? 500 : 100, inFlight: 8 }
/** Shorter than a file lives that is written, synced and deleted. */
const LOOK_EVERY_MS = 5

/** All that was seen of a family of processes. */
class Watch {
  readonly written = new Map<string, WrittenFile>()
  readonly pids = new Set<number>()
  readonly found: string[] = []
  readonly #patterns: readonly Sought[]

  constructor(patterns: readonly Sought[]) {
    this.#patterns = patterns
  }

  look(): void {
    for (const pid of familyOf(process.pid)) {
      this.pids.add(pid)
      for (const file of writtenFiles(pid)) {
        // Files that have a name are searched at the end.
        if (file.isDeleted && !this.written.has(file.path)) this.search(file.handle)
        this.written.set(file.path, file)
      }
    }
  }

  search(path: string): void {
    const form = findKey(readFileSync(path), this.#patterns)
    if (form !== null) this.found.push(`${path}: ${form}`)
  }
}

/** A folder that is all processes' home, and the place of their temporary files. */
function makeHome(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), 'casemate-keys-'))
  const before = { ...process.env }
  const temporary = join(home, 'tmp')
  mkdirSync(temporary)
  Object.assign(process.env, { HOME: home, TMPDIR: temporary, SQLITE_TMPDIR: temporary })
  t.after(() => {
    process.env = before
    rmSync(home, { recursive: true, force: true })
  })
  return home
}

/** Puts a key in place of the stage's own, so that the test knows it. */
async function knownKey(stage: Stage, key: Buffer): Promise<Stage> {
  const path = 'perception/key/data'
  await stage.broker.admin.secrets.put(path, key, 'any')
  return { ...stage, owner: { root: openBrokerRoot({ path, key }), identity: stage.owner.identity } }
}

test('under load no key is in any file that the processes wrote', { skip: notLinux }, async t => {
  const home = makeHome(t)
  const key = randomBytes(32)
  const stage = await knownKey(
    await openStage({
      name: 'perception',
      build: { entry: ENTRY },
      service: new URL('../service.ts', import.meta.url),
      directory: join(home, 'stage'),
    }),
    key,
  )
  t.after(() => stage.close())
  const { mrEnclave, mrSigner } = stage.owner.root.secrets
  const patterns = [key, mrEnclave.export(), mrSigner.export()].flatMap(patternsOf)
  const watch = new Watch(patterns)
  writeFileSync(join(stage.directory, CALIBRATION_FILE), sealCalibration(CALIBRATION, stage.owner))

  const server = await stage.startServer()
  const pictures = openPictures(undefined).map(picture => picture.pixels)
  const floorKey = randomBytes(32)
  const floorServer = await startParty<FloorReady>(new URL('../bench/floor-server.ts', import.meta.url), {
    key: floorKey,
  })
  t.after(() => floorServer.stop())
  const floor = { ...floorServer.ready, key: floorKey, pid: floorServer.pid }
  const start = cameraStart(stage, { ...server.ready, pid: server.pid }, { pictures, load: LOAD, floor })
  const timer = setInterval(() => watch.look(), LOOK_EVERY_MS)
  const program = new URL('../camera-process.ts', import.meta.url)
  const camera = await startParty<CameraReady>(program, start).finally(() => clearInterval(timer))

  await t.test('while all of them were at work', () => {
    assert.ok(watch.pids.size >= 4, 'the owner, the broker, the server, the camera')
    for (const { lanes } of camera.ready.rounds) assert.equal(lanes, LOAD.frames)
  })
  await t.test('they wrote in their own folders only', () => {
    assert.ok(watch.written.size > 0, 'the broker’s database was seen')
    for (const { path, descriptor } of watch.written.values())
      assert.ok(descriptor <= 2 || !relative(home, path).startsWith('..'), path)
  })
  await t.test('none of it holds the key', () => {
    const files = filesIn(home)
    assert.ok(
      files.some(file => file.endsWith('-wal')),
      'the database is searched while it is open',
    )
    for (const file of files) watch.search(file)
    for (const { path, descriptor } of watch.written.values()) if (descriptor <= 2) watch.search(path)
    assert.deepEqual(watch.found, [])
  })
  await t.test('what the broker keeps is opened by a passphrase that is nowhere but in its memory', () => {
    const wrapped = readFileSync(join(stage.directory, 'broker', 'kek.json'), 'utf8')
    assert.match(wrapped, /"scrypt"/)
  })
  await t.test('nor do the arguments and environments, and nothing was swapped out', () => {
    for (const pid of familyOf(process.pid)) {
      for (const name of ['cmdline', 'environ']) watch.search(`/proc/${pid}/${name}`)
      assert.ok(['0 kB', null].includes(statusOf(pid, 'VmSwap')), `VmSwap of ${pid}`)
    }
    assert.deepEqual(watch.found, [])
  })
  await t.test('a crash would write nothing of their memory', () => {
    for (const pid of [stage.broker.pid, server.pid, camera.pid])
      assert.equal(Number.parseInt(readFileSync(`/proc/${pid}/coredump_filter`, 'utf8'), 16), 0)
  })
  await t.test(
    'a key that is planted is found: in a file, in part, and in a deleted file that is open',
    () => {
      const planted = join(home, 'tmp', 'planted')
      writeFileSync(planted, `${'x'.repeat(5000)}{"k":"${key.subarray(16).toString('base64url')}"}`)
      for (const file of filesIn(home)) watch.search(file)
      assert.match(watch.found.splice(0).join(), /planted: base64/)
      const descriptor = openSync(planted, 'w')
      writeSync(descriptor, mrSigner.export())
      rmSync(planted)
      watch.look()
      closeSync(descriptor)
      assert.match(watch.found.splice(0).join(), /fd.*: raw/)
    },
  )
  await camera.stop()
  await server.stop()
  await t.test('nor is the key in what is left when they have ended', () => {
    for (const file of filesIn(home)) watch.search(file)
    assert.deepEqual(watch.found, [])
  })
})
