// The key file is written whole or not at all, also where the system takes a part of it only.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { draftKeyFile } from '../../src/keys/key-file-draft.ts'

const MODULE = new URL('../../src/keys/key-file-draft.ts', import.meta.url).href
const NO_SHELL = process.platform === 'win32' && 'there is no limit of file sizes to set'
let directory = ''

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'casemate-key-file-'))
})
after(() => rmSync(directory, { recursive: true, force: true }))

/** Writes in a process whose files may have so many blocks of 512 bytes: the system takes the first part, then refuses. */
function writeWithin(blocks: string, path: string, content: unknown) {
  const script = `const { draftKeyFile } = await import(${JSON.stringify(MODULE)})
    draftKeyFile(${JSON.stringify(path)}, ${JSON.stringify(content)}).commit()`
  const command = 'ulimit -f "$0"; exec "$@"'
  const node = [process.execPath, '--input-type=module', '-e', script]
  return spawnSync('sh', ['-c', command, blocks, ...node], {
    encoding: 'utf8',
    env: { ...process.env, NODE_COMPILE_CACHE: '' },
  })
}

test('a key file that the system takes only a part of leaves the old one as it was', {
  skip: NO_SHELL,
}, () => {
  const path = join(directory, 'kek.json')
  assert.equal(writeWithin('unlimited', path, { first: 'x' }).status, 0)
  const whole = readFileSync(path, 'utf8')
  const larger = { second: 'y'.repeat(8000) }
  const cut = writeWithin('4', path, larger)
  assert.notEqual(cut.status, 0)
  assert.match(cut.stderr, /EFBIG/)
  assert.equal(readFileSync(path, 'utf8'), whole)
})

test('a key file that cannot take its place leaves no draft, which may hold keys in the clear', () => {
  const path = join(directory, 'taken')
  mkdirSync(path)
  const draft = draftKeyFile(path, {
    format: 'casemate-kek/1',
    protection: { kind: 'none' },
    current: 1,
    versions: [{ version: 1, key: 'AAAA' }],
  })
  assert.equal(existsSync(draft.path), true)
  assert.throws(() => draft.commit(), /EISDIR|EEXIST|EPERM/)
  assert.equal(existsSync(draft.path), false)
})
