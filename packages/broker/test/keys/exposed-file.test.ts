// Files with secrets that others can read, where that matters.

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { exposedMode } from '../../src/keys/exposed-file.ts'
import { openHarness } from '../kbs/harness.ts'

const folder = mkdtempSync(join(tmpdir(), 'casemate-exposed-'))
chmodSync(folder, 0o755)
after(() => rmSync(folder, { recursive: true }))

const skip = process.platform === 'win32'
const onDisk = (): boolean => false
const inMemory = (): boolean => true

function fileOf(mode: number, name = 'pass'): string {
  const path = join(folder, name)
  writeFileSync(path, 'correct horse\n')
  chmodSync(path, mode)
  return path
}

test('a file that its owner and group alone can read is not exposed', { skip }, () => {
  for (const mode of [0o600, 0o400, 0o640]) assert.equal(exposedMode(fileOf(mode), onDisk), null)
  assert.equal(exposedMode(fileOf(0o644), onDisk), '644')
  assert.equal(exposedMode(fileOf(0o604), onDisk), '604')
  assert.equal(exposedMode(join(folder, 'none'), onDisk), null)
})

test('a file in a folder that others cannot search is not exposed, also further up', { skip }, () => {
  mkdirSync(join(folder, 'closed', 'inner'), { recursive: true })
  const path = fileOf(0o644, 'closed/inner/pass')
  assert.equal(exposedMode(path, onDisk), '644')
  chmodSync(join(folder, 'closed'), 0o700)
  assert.equal(exposedMode(path, onDisk), null)
})

test('a secret that a container has mounted is not exposed, a file in a shared folder in memory is', {
  skip,
}, () => {
  mkdirSync(join(folder, 'secrets', '..data'), { recursive: true })
  fileOf(0o644, 'secrets/..data/pass')
  symlinkSync(join('..data', 'pass'), join(folder, 'secrets', 'pass'))
  const path = join(folder, 'secrets', 'pass')
  assert.equal(exposedMode(path, inMemory), null)
  assert.equal(exposedMode(path, onDisk), '644')
  chmodSync(join(folder, 'secrets', '..data'), 0o1777)
  assert.equal(exposedMode(path, inMemory), '644')
})

test('a broker whose passphrase every user can read says so once, and starts', { skip }, async () => {
  for (const [mode, lines] of [
    [0o644, 1],
    [0o600, 0],
  ] as const) {
    const path = fileOf(mode)
    const broker = await openHarness({ flags: { 'kek-source': 'passphrase', 'kek-passphrase-file': path } })
    await broker.close()
    const told = broker.log.filter(line => line.includes('every user of this machine can read this file'))
    assert.equal(told.length, lines)
    for (const line of told) {
      const { setting, mode: shown } = JSON.parse(line) as { setting: string; mode: string }
      assert.deepEqual([setting, shown], ['kekPassphraseFile', '644'])
    }
  }
})
