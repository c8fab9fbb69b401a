// Files are read up to a limit, whatever the file system says of their size.
import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readWithin } from '../../src/node/read-within.ts'

const directory = mkdtempSync(join(tmpdir(), 'casemate-read-'))
after(() => rmSync(directory, { recursive: true }))

const path = join(directory, 'file')
const NO_PROC = process.platform !== 'linux' && 'files without a size are those of Linux'

test('a file is read whole up to its limit, by path and by handle, and refused beyond it', () => {
  for (const size of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
    const content = Buffer.alloc(size, 'casemate')
    writeFileSync(path, content)
    assert.deepEqual(readWithin(path, size), content)
    if (size > 0) assert.throws(() => readWithin(path, size - 1), RangeError)
  }
  const handle = openSync(path, 'r')
  assert.equal(readWithin(handle, 200_000).length, 200_000)
  closeSync(handle)
})

test('a file that says it is too large is not read at all', () => {
  writeFileSync(path, '')
  truncateSync(path, 2 ** 33)
  assert.throws(() => readWithin(path, 1_000), /^RangeError: 8589934592 bytes, want at most 1000$/)
})

test('a file that says it is empty is read to its end, or refused where its limit is', {
  skip: NO_PROC,
}, () => {
  assert.match(readWithin('/proc/self/status', 65_536).toString(), /^Name:/)
  assert.throws(() => readWithin('/proc/self/status', 10), RangeError)
})

test('a file without an end is refused', { skip: NO_PROC }, () => {
  assert.throws(() => readWithin('/dev/zero', 1_000_000), RangeError)
})

test('what the system refuses is said as it says it', () => {
  assert.throws(() => readWithin(join(directory, 'missing'), 1), { code: 'ENOENT' })
  assert.throws(() => readWithin(directory, 1_000_000), { code: 'EISDIR' })
})
