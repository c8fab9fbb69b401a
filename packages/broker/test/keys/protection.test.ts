// What opens the key file is changed as a whole or not at all: wherever the process is killed, the old opens it or the new.

import assert from 'node:assert/strict'
import fs, {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { after, describe, type TestContext, test } from 'node:test'
import { resolveConfig } from '../../src/config/resolve.ts'
import { openFileKeyEncryption } from '../../src/keys/file-key-encryption.ts'
import { protectKek } from '../../src/lifecycle/protect-kek.ts'
import { Redacted } from '../../src/redacted.ts'
import { openTestBroker, START, temporaryDirectory } from '../broker.ts'

const ROOT = temporaryDirectory()
after(() => fs.rmSync(ROOT, { recursive: true }))

const CLOCKS = { now: () => START, elapsedMs: () => 0 }

let made = 0
function directory(): string {
  const path = join(ROOT, `${made++}`)
  mkdirSync(path, { mode: 0o700 })
  return path
}

function open(path: string, passphrase: string | null) {
  return openFileKeyEncryption({
    path,
    passphrase: passphrase === null ? null : new Redacted(passphrase),
    mayCreate: true,
  })
}

const SYSTEM_CALLS = ['rmSync', 'openSync', 'writeFileSync', 'fsyncSync', 'closeSync', 'renameSync'] as const

/** Runs `observe` before each of these calls until the test ends: what it finds is what a kill at that point leaves. */
function beforeEachCall(t: TestContext, observe: (name: string) => void): void {
  for (const name of SYSTEM_CALLS) {
    const original = fs[name] as (...args: unknown[]) => unknown
    t.mock.method(fs, name, (...args: unknown[]) => {
      observe(name)
      return original(...args)
    })
  }
  syncBuiltinESMExports()
  t.after(() => stopObserving(t))
}

function stopObserving(t: TestContext): void {
  t.mock.restoreAll()
  syncBuiltinESMExports()
}

describe('a change of what protects the key-encryption key', () => {
  test('that is killed at any of its steps leaves a file that the old opens, or the new', async t => {
    const path = join(directory(), 'kek.json')
    const kek = await open(path, null)
    await kek.addVersion()
    const wrapped = await kek.wrap(Buffer.from('data key'), 'place')
    const snapshots: { readonly path: string; readonly moved: number }[] = []
    let moved = 0
    let isObserving = true
    beforeEachCall(t, () => {
      if (!isObserving) return
      isObserving = false
      const copy = directory()
      for (const file of readdirSync(join(path, '..'))) copyFileSync(join(path, '..', file), join(copy, file))
      snapshots.push({ path: join(copy, 'kek.json'), moved })
      isObserving = true
    })
    const moves: readonly (string | null)[] = ['one', 'two', null]
    for (moved = 0; moved < moves.length; moved++) {
      const next = moves[moved] ?? null
      await kek.protect(next === null ? null : new Redacted(next))
    }
    isObserving = false
    stopObserving(t)
    snapshots.push({ path, moved })

    // At least: draft made, written, synced and closed, read back, renamed, directory synced.
    assert.ok(snapshots.length > 3 * 8, `${snapshots.length}`)
    const passphrases = [null, ...moves]
    const opensWith = new Map<string, string | null>()
    for (const { path: file, moved: since } of snapshots) {
      const content = readFileSync(file, 'utf8')
      const candidates = passphrases.slice(since, since + 2)
      if (!opensWith.has(content)) opensWith.set(content, await whichOpens(file, candidates))
      assert.ok(candidates.includes(opensWith.get(content) ?? null), `neither opens after ${since} moves`)
    }
    assert.deepEqual([...opensWith.values()], [null, 'one', 'two'])

    async function whichOpens(file: string, candidates: readonly (string | null)[]) {
      for (const passphrase of candidates) {
        const again = await open(file, passphrase).catch(() => null)
        if (again === null) continue
        assert.equal(Buffer.from(await again.unwrap(wrapped, 'place')).toString(), 'data key')
        assert.deepEqual([again.versions, again.currentVersion], [[1, 2], 2])
        // What the kill left beside it is gone once it was opened.
        assert.equal(existsSync(`${file}.new`), false)
        return passphrase
      }
      return assert.fail('nothing opens it')
    }
  })

  test('is synced before it counts', async t => {
    const path = join(directory(), 'kek.json')
    const kek = await open(path, null)
    const steps: string[] = []
    beforeEachCall(t, name => steps.push(name))
    await kek.protect(null)
    stopObserving(t)
    const rename = steps.indexOf('renameSync')
    assert.ok(steps.indexOf('fsyncSync') > steps.indexOf('writeFileSync'), steps.join())
    assert.ok(steps.indexOf('fsyncSync') < rename, steps.join())
    assert.ok(steps.lastIndexOf('fsyncSync') > rename, steps.join())
  })

  test('changes the file that a link leads to, and leaves the link', async () => {
    const real = join(directory(), 'real.json')
    await open(real, null)
    const link = join(directory(), 'kek.json')
    symlinkSync(real, link)
    const kek = await open(link, null)
    const before = readFileSync(real, 'utf8')
    await kek.addVersion()
    await kek.protect(null)
    assert.notEqual(readFileSync(real, 'utf8'), before)
    assert.ok(lstatSync(link).isSymbolicLink())
    // As a crash would have left it: beside the file itself.
    writeFileSync(`${real}.new`, 'half of it', { mode: 0o600 })
    assert.deepEqual((await open(link, null)).versions, [1, 2])
    assert.equal(existsSync(`${real}.new`), false)
  })

  test('that does not read back as it was written is not made', async t => {
    const path = join(directory(), 'kek.json')
    const kek = await open(path, null)
    const before = readFileSync(path, 'utf8')
    const write = fs.writeFileSync
    t.mock.method(fs, 'writeFileSync', (file: number, text: string) => {
      const content = JSON.parse(text)
      content.versions[0].key = Buffer.alloc(32).toString('base64')
      write(file, JSON.stringify(content))
    })
    t.after(() => stopObserving(t))
    syncBuiltinESMExports()
    await assert.rejects(kek.protect(null), { code: 'kek-damaged' })
    stopObserving(t)
    assert.equal(readFileSync(path, 'utf8'), before)
    assert.equal(existsSync(`${path}.new`), false)
  })
})

describe('what a write of the key file left that was cut off', () => {
  test('is named, and not removed, where the key file itself is lost', async () => {
    const path = join(directory(), 'kek.json')
    writeFileSync(`${path}.new`, 'half of it', { mode: 0o600 })
    const lost = openFileKeyEncryption({ path, passphrase: null, mayCreate: false })
    await assert.rejects(lost, {
      code: 'kek-missing',
      hint: /kek\.json\.new is what a write that was cut off/,
    })
    assert.equal(readFileSync(`${path}.new`, 'utf8'), 'half of it')
  })

  test('stays as well where the key file does not open', async () => {
    const path = join(directory(), 'kek.json')
    await open(path, null)
    writeFileSync(`${path}.new`, 'half of it', { mode: 0o600 })
    await assert.rejects(open(path, 'any'), { code: 'config-conflict' })
    assert.ok(existsSync(`${path}.new`))
    await open(path, null)
    assert.equal(existsSync(`${path}.new`), false)
  })

  test('is refused where it cannot be removed', async t => {
    const path = join(directory(), 'kek.json')
    await open(path, null)
    mkdirSync(`${path}.new`)
    await assert.rejects(open(path, null), { code: 'kek-unsafe', hint: /remove it/ })
    t.diagnostic('a directory stands for whatever cannot be removed')
  })
})

describe('the key file of a stopped broker', () => {
  const configOf = (dataDir: string) =>
    resolveConfig({ flags: { 'data-dir': dataDir, offline: 'true' }, env: {}, file: null }).values

  test('is changed on the record, and never beside a broker', async () => {
    const broker = await openTestBroker({ dataDir: directory() })
    const { dataDir, admin } = broker
    await assert.rejects(protectKek(configOf(dataDir), null, CLOCKS), { code: 'data-directory-in-use' })
    await broker.close('keep-data')
    assert.deepEqual((await protectKek(configOf(dataDir), null, CLOCKS)).versions, [1])
    const again = await openTestBroker({ dataDir, admin })
    const [entry] = await again.entries('kek.protected')
    assert.deepEqual([entry?.['by'], entry?.['actor']], ['file', { system: 'key protect' }])
    await again.close('keep-data')
  })

  test('that does not belong to the database is not touched', async () => {
    const broker = await openTestBroker({ dataDir: directory() })
    await broker.close('keep-data')
    const path = join(broker.dataDir, 'kek.json')
    fs.rmSync(path)
    await open(path, null)
    const foreign = readFileSync(path, 'utf8')
    await assert.rejects(protectKek(configOf(broker.dataDir), null, CLOCKS), { code: 'kek-damaged' })
    assert.equal(readFileSync(path, 'utf8'), foreign)
  })

  test('is not made where there is none', async () => {
    const dataDir = join(directory(), 'none')
    await assert.rejects(protectKek(configOf(dataDir), null, CLOCKS), {
      code: 'kek-missing',
      hint: /--data-dir/,
    })
    assert.equal(existsSync(dataDir), false)
  })
})
