// One mark file that several processes write: each its own copies, and nobody takes away what another remembers.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Mark, MarkFile } from '../../src/node/index.ts'
import { throwsCode } from '../expect-code.ts'
import { temporaryDirectory } from './fixture.ts'

const COPY_BYTES = 4096
const LOG = 'log.example+00000000+AAAA'

const markOf = (size: number, verifierKey = LOG): Mark => ({
  verifierKey,
  size,
  root: new Uint8Array(32).fill(size % 251),
})

interface Place {
  readonly path: string
  readonly writer: (number: number) => MarkFile
  /** What whoever opens the file now finds. */
  readonly found: () => number | undefined
}

function place(t: TestContext): Place {
  const path = join(temporaryDirectory(t), 'mark')
  const writer = (number: number) => {
    const mark = new MarkFile(path, number)
    t.after(() => mark.close())
    return mark
  }
  const found = () => {
    const mark = new MarkFile(path)
    mark.close()
    return mark.kept?.size
  }
  return { path, writer, found }
}

test('of several writers the newest mark is found, whoever wrote it and however they take turns', t => {
  const { path, writer, found } = place(t)
  const writers = [writer(0), writer(1), writer(7)]
  let newest = 0
  for (let size = 1; size < 60; size++) {
    const mark = writers[(size * 5 + (size >> 2)) % 3]!
    // Now and then of a state that others have gone beyond.
    const written = size % 7 === 0 ? size - 2 : size
    mark.write(markOf(written), size % 10 === 0)
    newest = Math.max(newest, written)
    assert.equal(found(), newest)
  }
  assert.equal(statSync(path).size, 16 * COPY_BYTES)
  assert.deepEqual(writer(64).kept, markOf(newest))
})

test('a mark of its own never goes back, and what another writer has is known from when it was opened', t => {
  const { writer } = place(t)
  const [one, other] = [writer(0), writer(1)]
  one.write(markOf(5), false)
  other.write(markOf(3), false)
  assert.deepEqual([one.kept?.size, other.kept?.size], [5, 5])
  other.write(markOf(9), false)
  assert.deepEqual([one.kept?.size, writer(2).kept?.size], [5, 9])
})

test('a file that is removed is made again once, and used by all', t => {
  const { path, writer, found } = place(t)
  const [one, other] = [writer(0), writer(3)]
  one.write(markOf(1), false)
  other.write(markOf(8), false)
  rmSync(path)
  one.write(markOf(9), false)
  const { ino } = statSync(path)
  other.write(markOf(10), false)
  assert.deepEqual([found(), statSync(path).ino], [10, ino])
  for (let size = 11; size < 20; size++) (size % 2 === 0 ? one : other).write(markOf(size), size % 3 === 0)
  assert.deepEqual([found(), statSync(path).ino], [19, ino])
})

test('what a writer remembers is in a file that another made in the meantime from its next write on', t => {
  const { path, writer, found } = place(t)
  const [one, other] = [writer(0), writer(1)]
  one.write(markOf(1), false)
  other.write(markOf(8), false)
  rmSync(path)
  one.write(markOf(2), false)
  assert.equal(found(), 2)
  // It has nothing newer to say than what it had said in the file that is gone.
  other.write(markOf(8), false)
  assert.equal(found(), 8)
})

test('a file in its place that says nothing of this log is replaced, and one that cannot be read', t => {
  const { path, writer, found } = place(t)
  const one = writer(1)
  one.write(markOf(4), false)
  for (const put of [
    () => writeFileSync(path, 'somebody’s'),
    () => new MarkFile(path).write(markOf(99, 'another+00000000+AAAA'), false),
    () => symlinkSync('/dev/null', path),
  ]) {
    rmSync(path)
    put()
    one.write(markOf(4), false)
    assert.deepEqual([found(), readFileSync(path).length], [4, 4 * COPY_BYTES])
  }
})

test('a copy that is torn anywhere leaves the one before, and those of the other writers', t => {
  const { path, writer, found } = place(t)
  const [one, other] = [writer(0), writer(1)]
  one.write(markOf(1), false)
  other.write(markOf(2), false)
  other.write(markOf(3), false)
  one.write(markOf(4), false)
  const before = readFileSync(path)
  other.write(markOf(5), false)
  const after = readFileSync(path)
  const changed = [0, 1, 2, 3].filter(
    copy =>
      !before
        .subarray(copy * COPY_BYTES, (copy + 1) * COPY_BYTES)
        .equals(after.subarray(copy * COPY_BYTES, (copy + 1) * COPY_BYTES)),
  )
  assert.deepEqual(changed, [2])
  for (const cut of [...Array(140).keys(), COPY_BYTES - 1, COPY_BYTES]) {
    const torn = Buffer.from(before)
    after.copy(torn, 2 * COPY_BYTES, 2 * COPY_BYTES, 2 * COPY_BYTES + cut)
    writeFileSync(path, torn)
    assert.equal(found(), torn.equals(after) ? 5 : 4)
  }
  // The whole of one writer's copies.
  writeFileSync(path, Buffer.from(after).fill(0, 2 * COPY_BYTES))
  assert.equal(found(), 4)
  assert.equal(writer(1).kept?.size, 4)
})

test('the file of one writer is read by each, and goes on', t => {
  const { path, writer, found } = place(t)
  writer(0).write(markOf(6), true)
  assert.equal(statSync(path).size, 2 * COPY_BYTES)
  const other = writer(5)
  assert.deepEqual([other.state, other.kept?.size], ['kept', 6])
  other.write(markOf(7), false)
  assert.equal(found(), 7)
})

test('marks of a run with more writers than now are found, and of no more than there may be', t => {
  const { path, writer, found } = place(t)
  writer(0).write(markOf(6), true)
  writer(64).write(markOf(9), true)
  assert.equal(found(), 9)
  const one = writer(0)
  one.write(markOf(8), true)
  assert.deepEqual([one.kept?.size, found()], [9, 9])
  one.write(markOf(10), true)
  assert.equal(found(), 10)
  // Beyond the last writer's copies.
  const copy = readFileSync(path).subarray(128 * COPY_BYTES, 129 * COPY_BYTES)
  writeFileSync(path, Buffer.concat([Buffer.alloc(130 * COPY_BYTES), copy]))
  assert.deepEqual([new MarkFile(path).state, found()], ['damaged', undefined])
  for (const number of [65, -1, 0.5]) assert.throws(() => new MarkFile(path, number), RangeError)
})

test('a log that is about to begin has one file, whichever writer is first', t => {
  const { path, writer, found } = place(t)
  writer(0).begin()
  const [one, other] = [writer(0), writer(1)]
  assert.deepEqual([one.isBlank, other.isBlank], [true, true])
  other.write(markOf(0), true)
  const { ino } = statSync(path)
  one.write(markOf(3), false)
  other.write(markOf(4), false)
  assert.deepEqual([statSync(path).ino, found(), other.isBlank, one.isBlank], [ino, 4, false, false])
})

test('a mark that was closed writes nothing, and makes no file', t => {
  const { path, writer } = place(t)
  const one = writer(0)
  one.write(markOf(1), true)
  one.close()
  rmSync(path)
  throwsCode('ledger-unavailable', () => one.write(markOf(2), true))
  assert.equal(statSync(path, { throwIfNoEntry: false }), undefined)
})

test('the mark of another log gives way to the one of this, however far it had come', t => {
  const { path, writer, found } = place(t)
  writer(1).write(markOf(99, 'another+00000000+AAAA'), true)
  const one = writer(1)
  one.write(markOf(4), false)
  assert.deepEqual([one.kept, found()], [markOf(4), 4])
  assert.deepEqual(new MarkFile(path).kept, markOf(4))
})

test('a writer that is opened again writes the older one of its copies first', t => {
  const { path, writer } = place(t)
  writer(0).write(markOf(1), false)
  let before = readFileSync(path)
  for (const [at, size] of [2, 3, 4, 5, 6].entries()) {
    const mark = writer(1)
    mark.write(markOf(size), false)
    mark.close()
    const after = readFileSync(path)
    const own = 2 + (at % 2)
    assert.deepEqual(after.subarray(0, own * COPY_BYTES), before.subarray(0, own * COPY_BYTES))
    assert.match(
      after.subarray(own * COPY_BYTES).toString(),
      new RegExp(`^casemate-ledger-mark/1\n.*\n${size}\n`),
    )
    before = after
  }
})

test('a file that a writer is about to put in its place is not another writer’s to take', t => {
  const { path, writer, found } = place(t)
  writeFileSync(`${path}.new`, 'half of a mark')
  writer(1).write(markOf(1), false)
  assert.deepEqual([found(), readFileSync(`${path}.new`, 'utf8')], [1, 'half of a mark'])
  // What is left of its own by a start that was cut off is its own to take.
  rmSync(path)
  writer(0).write(markOf(2), false)
  assert.deepEqual([found(), statSync(`${path}.new`, { throwIfNoEntry: false })], [2, undefined])
})
