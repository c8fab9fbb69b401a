import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { makeMemoryDirectory } from '../../src/command/memory-directory.ts'
import { hasSwap } from '../../src/private-memory.ts'

const TMPFS = 0x01021994
const OTHER_USER = 65_534
const SHM = '/dev/shm'
const hasTmpfs = existsSync(SHM) && statfsSync(SHM).type === TMPFS

/** On a disk, as the sources are. */
const DISK = import.meta.dirname

test('a directory on a disk is refused', t => {
  if (statfsSync(DISK).type === TMPFS) return t.skip('the sources are on a tmpfs')
  assert.throws(() => makeMemoryDirectory(DISK, {}), { code: 'directory-not-in-memory' })
  assert.throws(() => makeMemoryDirectory(join(DISK, 'missing'), {}), { code: 'directory-not-in-memory' })
  assert.equal(readdirSync(DISK).filter(name => name.startsWith('casemate-run-')).length, 0)
})

test('swap is known by a second line', () => {
  assert.equal(hasSwap('Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'), false)
  assert.equal(hasSwap(''), false)
  assert.equal(hasSwap('Filename\tType\n/dev/vda2   partition\t8388604\t0\t-2\n'), true)
})

describe('in memory', { skip: !hasTmpfs && 'no tmpfs at /dev/shm' }, () => {
  const base = hasTmpfs ? mkdtempSync(join(SHM, 'casemate-test-')) : ''
  after(() => rmSync(base, { recursive: true, force: true }))

  test('a file is this user’s alone, and replaced as a whole', () => {
    const directory = makeMemoryDirectory(base, {})
    directory.write('KEY', new Uint8Array([1, 2]))
    directory.write('KEY', new Uint8Array([3]))
    assert.deepEqual(readdirSync(directory.path), ['KEY'])
    assert.deepEqual([...readFileSync(directory.pathOf('KEY'))], [3])
    assert.equal(statSync(directory.path).mode & 0o777, 0o700)
    assert.equal(statSync(directory.pathOf('KEY')).mode & 0o777, 0o600)
    directory.remove()
    assert.deepEqual(readdirSync(base), [])
  })

  test('a directory in which others can replace files is refused, unless it is sticky', () => {
    const open = join(base, 'open')
    mkdirSync(open)
    chmodSync(open, 0o777)
    assert.throws(() => makeMemoryDirectory(open, {}), { code: 'directory-not-safe' })
    chmodSync(open, 0o1777)
    makeMemoryDirectory(open, {}).remove()
    rmSync(open, { recursive: true })
  })

  test('another user’s directory is refused, and what another user has left is not touched', {
    skip: process.getuid?.() !== 0 && 'only root can give files away',
  }, () => {
    const theirs = join(base, 'theirs')
    mkdirSync(theirs, { mode: 0o755 })
    chownSync(theirs, OTHER_USER, OTHER_USER)
    assert.throws(() => makeMemoryDirectory(theirs, {}), { code: 'directory-not-safe' })
    rmSync(theirs, { recursive: true })
    const [, namespace = ''] = /-(\d+)-[0-9a-f]{16}$/.exec(makeMemoryDirectory(base, {}).path) ?? []
    const gone = spawnSync('true').pid
    const [stale, file] = ['0000000000000000', '1111111111111111'].map(random =>
      join(base, `casemate-run-${gone}-1-${namespace}-${random}`),
    ) as [string, string]
    mkdirSync(stale)
    chownSync(stale, OTHER_USER, OTHER_USER)
    writeFileSync(file, '')
    makeMemoryDirectory(base, {})
    assert.ok(existsSync(stale) && existsSync(file))
    for (const name of readdirSync(base)) rmSync(join(base, name), { recursive: true })
  })

  test('what a process that is gone has left is removed, and of one that lives, or may live elsewhere, nothing', () => {
    const made = makeMemoryDirectory(base, {})
    const [, pid = '', started = '', namespace = ''] = /run-(\d+)-(\d+)-(\d+)-/.exec(made.path) ?? []
    const gone = spawnSync('true').pid
    const random = '0123456789abcdef'
    const names = [`${gone}-1-${namespace}`, `${pid}-${Number(started) - 1}-${namespace}`, `${gone}-1-42`]
    for (const name of names) mkdirSync(join(base, `casemate-run-${name}-${random}`))
    mkdirSync(join(base, 'casemate-run-else'))
    const next = makeMemoryDirectory(base, {})
    const left = readdirSync(base).toSorted()
    const expected = [made.path, next.path].map(path => path.slice(base.length + 1))
    assert.deepEqual(
      left,
      [...expected, `casemate-run-${gone}-1-42-${random}`, 'casemate-run-else'].toSorted(),
    )
  })

  test('the place of the user’s own is taken first, and one on a disk is passed over', () => {
    const own = makeMemoryDirectory(null, { XDG_RUNTIME_DIR: base })
    assert.ok(own.path.startsWith(base))
    own.remove()
    const other = makeMemoryDirectory(null, { XDG_RUNTIME_DIR: DISK })
    assert.ok(other.path.startsWith(SHM))
    other.remove()
  })
})
