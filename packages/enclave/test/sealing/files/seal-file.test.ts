// Sealing into files and opening them, where it is not the command that shows it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs, {
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { basename, join, relative } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { type TestContext, test } from 'node:test'
import { seal } from '../../../src/sealing/blob.ts'
import { removeUnfinished } from '../../../src/sealing/files/new-file.ts'
import { readPlain, sealToFile, unsealFile } from '../../../src/sealing/files/seal-file.ts'
import { openSealedFile, plaintextOf } from '../../../src/sealing/files/sealed-file.ts'
import { rejectsCode } from '../../expect-code.ts'
import { folder, namesIn, OLD, plaintextOfSample, SAMPLES, sealSample } from './fixture.ts'

const STREAM = SAMPLES[2]!
const OPEN = { opener: () => OLD, signal: null, progress: () => undefined }
const SEAL = { ...OLD, policy: 'mrEnclave', additionalData: new Uint8Array(), ...OPEN } as const

/** A directory with one sealed file. */
async function withSealed(
  t: TestContext,
  sample = STREAM,
): Promise<{ directory: string; sealed: string; out: string }> {
  const directory = folder(t)
  const sealed = join(directory, 'sealed')
  writeFileSync(sealed, await sealSample(sample, OLD))
  return { directory, sealed, out: join(directory, 'out') }
}

async function* pieces(...content: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const piece of content) yield Buffer.from(piece)
}

test('opening for a reader that has gone ends with a code', async t => {
  const { sealed } = await withSealed(t)
  const gone = new PassThrough()
  gone.on('error', () => undefined).destroy()
  await rejectsCode('file-unwritable', unsealFile(sealed, gone, OPEN))
})

test('a reader that takes its time gets all of it, and is not given more than it can take', async t => {
  const sample = { ...STREAM, size: 3_000_000 }
  const { sealed } = await withSealed(t, sample)
  const taken: Buffer[] = []
  let waiting = 0
  const slow = new Writable({
    highWaterMark: 100_000,
    write: (piece: Buffer, _, done) => {
      taken.push(piece)
      waiting = Math.max(waiting, slow.writableLength)
      setImmediate(done)
    },
  })
  await unsealFile(sealed, slow, OPEN)
  slow.end()
  await finished(slow)
  assert.ok(Buffer.concat(taken).equals(plaintextOfSample(sample)))
  // The pieces that were there when it was full, and the one that filled it.
  assert.ok(waiting <= 100_000 + 65_536, String(waiting))
})

test('an opened file appears whole, and what is there of it before is for the owner alone', async t => {
  const { directory, sealed, out } = await withSealed(t)
  const modes = new Set<number>()
  let most = 0
  const progress = (): void => {
    assert.equal(statSync(out, { throwIfNoEntry: false }), undefined)
    for (const name of readdirSync(directory).filter(name => name.startsWith('.casemate-'))) {
      const { mode, size } = statSync(join(directory, name))
      modes.add(mode & 0o777)
      most = Math.max(most, size)
    }
  }
  await unsealFile(sealed, out, { ...OPEN, progress })
  assert.ok(most > 0, 'nothing was written before the end')
  if (process.platform !== 'win32') assert.deepEqual([...modes], [0o600])
  assert.ok(readFileSync(out).equals(plaintextOfSample(STREAM)))
  assert.deepEqual(namesIn(directory), ['out', 'sealed'])
})

test('opening that is stopped while it writes leaves nothing', async t => {
  // Large enough that there is something left to do when it is stopped.
  const { directory, sealed, out } = await withSealed(t, { ...STREAM, size: 3_000_000 })
  const stop = new AbortController()
  const progress = (): void => {
    if (readdirSync(directory).length > 1) stop.abort()
  }
  await rejectsCode('interrupted', unsealFile(sealed, out, { ...OPEN, signal: stop.signal, progress }))
  assert.deepEqual(namesIn(directory), ['sealed'])
})

test('what exists is told before anything is read, a link that leads nowhere as well', async t => {
  const { directory, sealed, out } = await withSealed(t)
  symlinkSync('nowhere', out)
  await rejectsCode('file-exists', unsealFile(join(directory, 'missing'), out, OPEN))
  let isRead = false
  const reading = async function* (): AsyncGenerator<Uint8Array> {
    isRead = true
    yield* pieces('x')
  }
  await rejectsCode('file-exists', sealToFile(reading(), out, SEAL))
  assert.ok(!isRead)
  assert.ok(lstatSync(out).isSymbolicLink())
  assert.deepEqual(namesIn(directory), ['out', 'sealed'])
  await rejectsCode('file-unwritable', unsealFile(sealed, join(directory, 'none', 'out'), OPEN))
})

test('what appears in the meantime is not replaced', async t => {
  const { directory, sealed, out } = await withSealed(t)
  const appear = (): void => writeFileSync(out, 'somebody’s')
  await rejectsCode('file-exists', unsealFile(sealed, out, { ...OPEN, progress: appear }))
  assert.equal(readFileSync(out, 'utf8'), 'somebody’s')
  assert.deepEqual(namesIn(directory), ['out', 'sealed'])
})

/** As on a file system that has no hard links. */
function withoutLinks(t: TestContext, code: string): void {
  t.mock.method(fs.promises, 'link', () => Promise.reject(Object.assign(new Error(code), { code })))
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
}

test('a file system without hard links gets the file, and in nobody’s place', async t => {
  const { directory, sealed, out } = await withSealed(t)
  withoutLinks(t, 'EPERM')
  await unsealFile(sealed, out, OPEN)
  assert.ok(readFileSync(out).equals(plaintextOfSample(STREAM)))
  const other = join(directory, 'other')
  const appear = (): void => writeFileSync(other, 'somebody’s')
  await rejectsCode('file-exists', unsealFile(sealed, other, { ...OPEN, progress: appear }))
  assert.equal(readFileSync(other, 'utf8'), 'somebody’s')
  assert.deepEqual(namesIn(directory), ['other', 'out', 'sealed'])
})

test('a link that fails for another reason is no reason to go another way', async t => {
  const { directory, sealed, out } = await withSealed(t)
  withoutLinks(t, 'EIO')
  await rejectsCode('file-unwritable', unsealFile(sealed, out, OPEN))
  assert.deepEqual(namesIn(directory), ['sealed'])
})

test('what a killed process left is taken away once nobody has written to it for long', async t => {
  const { directory, sealed, out } = await withSealed(t)
  const [old, fresh] = ['0', '1'].map(end => join(directory, `.casemate-4194304999-0123456789abcde${end}`))
  for (const path of [old, fresh]) writeFileSync(path!, 'x')
  utimesSync(old!, 0, 0)
  await unsealFile(sealed, out, OPEN)
  assert.deepEqual(
    [old, fresh].map(path => statSync(path!, { throwIfNoEntry: false }) !== undefined),
    [false, true],
  )
  utimesSync(fresh!, 0, 0)
  await sealToFile(pieces('x'), join(directory, 'again'), SEAL)
  assert.deepEqual(namesIn(directory), ['again', 'out', 'sealed'])
})

test('what this process is still making is not taken for something that was left behind', async t => {
  const directory = folder(t)
  const reading = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('one ')
    // By another way to the same place.
    await removeUnfinished(`${directory}/../${basename(directory)}`)
    await removeUnfinished(relative('.', directory))
    yield Buffer.from('two')
  }
  await sealToFile(reading(), join(directory, 'sealed'), SEAL)
  const out = join(directory, 'out')
  await unsealFile(join(directory, 'sealed'), out, OPEN)
  assert.equal(readFileSync(out, 'utf8'), 'one two')
})

test('a source that fails, or is stopped, leaves nothing, and its error is not changed', async t => {
  const directory = folder(t)
  const out = join(directory, 'out')
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('some')
    throw new TypeError('a fault of somebody’s')
  }
  await assert.rejects(sealToFile(failing(), out, SEAL), new TypeError('a fault of somebody’s'))
  const stopped = sealToFile(pieces('x'), out, { ...SEAL, signal: AbortSignal.abort() })
  await rejectsCode('interrupted', stopped)
  await assert.rejects(sealToFile(pieces('x'), join(directory, 'none', 'x'), SEAL), /no such directory$/)
  await assert.rejects(
    sealToFile(pieces('x'), join(directory, 'x'.repeat(300)), SEAL),
    /the name is too long$/,
  )
  const noDirectory = join(import.meta.filename, 'x')
  await assert.rejects(sealToFile(pieces('x'), noDirectory, SEAL), /a part of the path is no directory$/)
  await rejectsCode('file-unreadable', sealToFile(readPlain(join(directory, 'none')), out, SEAL))
  await rejectsCode('file-unreadable', sealToFile(readPlain(directory), out, SEAL))
  assert.deepEqual(namesIn(directory), [])
})

/** Every file that is opened goes through `change`. */
function withHandles(t: TestContext, change: (handle: FileHandle, path: string) => void): void {
  const { open } = fs.promises
  t.mock.method(fs.promises, 'open', async (...args: Parameters<typeof open>) => {
    const handle = await open(...args)
    change(handle, String(args[0]))
    return handle
  })
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
}

test('what the operating system did not take at once is written after it', async t => {
  const directory = folder(t)
  withHandles(t, handle => {
    handle.writev = async buffers => {
      const { bytesWritten } = await handle.write(Buffer.concat(buffers as unknown as Uint8Array[]), 0, 100)
      return { bytesWritten, buffers }
    }
  })
  const [sealed, out] = [join(directory, 'sealed'), join(directory, 'out')]
  const content = 'x'.repeat(3_000_000)
  await sealToFile(pieces(content), sealed, SEAL)
  await unsealFile(sealed, out, OPEN)
  assert.equal(readFileSync(out, 'utf8'), content)
})

test('a file is on disk before it has its name, and its name before the work is done', async t => {
  const directory = folder(t)
  const order: string[] = []
  withHandles(t, (handle, path) => {
    const sync = handle.sync.bind(handle)
    handle.sync = async () => {
      order.push(path === directory ? 'directory' : 'file', String(readdirSync(directory).includes('sealed')))
      await sync()
    }
  })
  await sealToFile(pieces('x'), join(directory, 'sealed'), SEAL)
  const sealed = ['file', 'false', ...(process.platform === 'win32' ? [] : ['directory', 'true'])]
  assert.deepEqual(order, sealed)
  await unsealFile(join(directory, 'sealed'), join(directory, 'out'), OPEN)
  assert.equal(order.length, sealed.length + sealed.length)
})

test('a blob that is exchanged between its header and the rest of it is noticed', async t => {
  const path = join(folder(t), 'blob')
  const blob = (label: string): Uint8Array =>
    seal(Buffer.from('content'), { ...SEAL, additionalData: Buffer.from(label) })
  writeFileSync(path, blob('visit-7'))
  const file = await openSealedFile(path)
  try {
    writeFileSync(path, blob('visit-8'))
    await rejectsCode('file-changed', plaintextOf(file, OLD, null).next())
  } finally {
    await file.handle.close()
  }
})

test('a pipe is no sealed file, and a blob that does not fit memory is not read', async t => {
  const directory = folder(t)
  if (process.platform !== 'win32') {
    const pipe = join(directory, 'pipe')
    execFileSync('mkfifo', [pipe])
    await assert.rejects(openSealedFile(pipe), { code: 'file-unreadable', message: /not a regular file$/ })
  }
  const path = join(directory, 'blob')
  writeFileSync(path, seal(Buffer.from('content'), SEAL))
  truncateSync(path, 2 ** 30 + 1)
  const file = await openSealedFile(path)
  try {
    await rejectsCode('invalid-parameter', plaintextOf(file, OLD, null).next())
  } finally {
    await file.handle.close()
  }
})
