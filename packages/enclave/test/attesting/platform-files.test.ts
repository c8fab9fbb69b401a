// The system's own files, used as kernels want them used.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { errnoOf, readWord, SYSTEM_FILES } from '../../src/attesting/platform-files.ts'

const root = mkdtempSync(join(tmpdir(), 'casemate-files-'))
after(() => rmSync(root, { recursive: true }))
const at = (name: string): string => join(root, name)

const fails = (code: string) => (error: unknown) => errnoOf(error) === code

test('a file is read to its end, and one that has more than may be is not read on', async () => {
  writeFileSync(at('blob'), Buffer.alloc(100, 7))
  assert.deepEqual(Buffer.from(await SYSTEM_FILES.read(at('blob'), 100)), Buffer.alloc(100, 7))
  await assert.rejects(SYSTEM_FILES.read(at('blob'), 99), fails('EFBIG'))
  writeFileSync(at('empty'), '')
  assert.equal((await SYSTEM_FILES.read(at('empty'), 10)).length, 0)
})

test('what states no size is read all the same', async () => {
  assert.equal(statSync('/proc/self/status').size, 0)
  assert.ok((await SYSTEM_FILES.read('/proc/self/status', 65_536)).length > 100)
})

test('a file is written from its beginning in one go, and neither made nor cut', async () => {
  writeFileSync(at('attribute'), 'abcdef')
  await SYSTEM_FILES.write(at('attribute'), Buffer.from('XY'))
  assert.equal(readFileSync(at('attribute'), 'latin1'), 'XYcdef')
  await assert.rejects(SYSTEM_FILES.write(at('missing'), Buffer.from('XY')), fails('ENOENT'))
})

test('directories are made once, and removed when they are empty', async () => {
  await SYSTEM_FILES.makeDirectory(at('entry'))
  await assert.rejects(SYSTEM_FILES.makeDirectory(at('entry')), fails('EEXIST'))
  assert.equal(await SYSTEM_FILES.isThere(at('entry')), true)
  await SYSTEM_FILES.removeDirectory(at('entry'))
  assert.equal(await SYSTEM_FILES.isThere(at('entry')), false)
  assert.equal(await SYSTEM_FILES.isThere(at('blob/below')), false)
})

test('a word is what stands in the line', async () => {
  writeFileSync(at('provider'), 'tdx_guest\n')
  assert.equal(await readWord(SYSTEM_FILES, at('provider')), 'tdx_guest')
})
