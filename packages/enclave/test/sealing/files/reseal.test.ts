// Moving sealed files: what comes out is the same under another root, and whatever fails leaves the old file.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs, {
  appendFileSync,
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { EnclaveErrorCode } from '../../../src/errors.ts'
import { seal } from '../../../src/sealing/blob.ts'
import { findSealed, type ResealSummary, resealAll } from '../../../src/sealing/files/reseal.ts'
import { type ResealEvent, type ResealOptions, resealFile } from '../../../src/sealing/files/reseal-file.ts'
import { parseHeader } from '../../../src/sealing/header.ts'
import { makeRoot } from '../../../src/sealing/root.ts'
import { rejectsCode } from '../../expect-code.ts'
import { IDENTITY, OTHER_ROOT, OTHER_SIGNER } from '../fixtures.ts'
import {
  fill,
  folder,
  MOVE,
  NEW,
  namesIn,
  OLD,
  plaintextOfSample,
  SAMPLES,
  sealSample,
  whereIs,
} from './fixture.ts'

const [BLOB, , STREAM] = SAMPLES as [(typeof SAMPLES)[0], (typeof SAMPLES)[0], (typeof SAMPLES)[0]]
const isRoot = process.getuid?.() === 0

async function filled(t: TestContext): Promise<string> {
  const directory = folder(t)
  await fill(directory)
  return directory
}

const run = async (paths: readonly string[], change: Partial<ResealOptions> = {}): Promise<ResealSummary> =>
  resealAll(await findSealed(paths), { ...MOVE, ...change })

const whereAll = (directory: string): string[] => SAMPLES.map(sample => whereIs(directory, sample))

/** Does something when a file reaches a step. */
const at = (step: ResealEvent['step'], act: (path: string) => void): Partial<ResealOptions> => ({
  report: event => {
    if (event.step === step) act(event.path)
  },
})

test('a directory moves to another root, and the next run finds all of it there', async t => {
  const directory = await filled(t)
  assert.deepEqual(whereAll(directory), ['old', 'old', 'old'])
  const summary = await run([directory])
  assert.deepEqual(summary, { moved: 3, already: 0, left: 0, failures: [], interrupted: false })
  assert.deepEqual(whereAll(directory), ['new', 'new', 'new'])
  assert.deepEqual(namesIn(directory), ['blob', 'empty', 'stream'])
  const before = readFileSync(join(directory, 'blob'))
  assert.deepEqual(await run([directory]), { ...summary, moved: 0, already: 3 })
  assert.deepEqual(readFileSync(join(directory, 'blob')), before)
})

/** The content of `old`, under the header that it would have after the move. */
async function forged(sample: (typeof SAMPLES)[0]): Promise<Uint8Array> {
  const [old, moved] = [await sealSample(sample, OLD), await sealSample(sample, NEW)]
  const size = 128 + sample.name.length
  return Buffer.concat([moved.subarray(0, size), old.subarray(size)])
}

test('a header alone makes no file pass for one that was moved, and none that was damaged since', async t => {
  const directory = await filled(t)
  for (const sample of SAMPLES) {
    const path = join(directory, sample.name)
    const [lying, moved] = [await forged(sample), await sealSample(sample, NEW)]
    const damaged = Buffer.from(moved)
    damaged[damaged.length - 1]! ^= 1
    for (const [content, code] of [
      [lying, 'seal-mac-mismatch'],
      [damaged, 'seal-mac-mismatch'],
      [
        moved.subarray(0, 128 + sample.name.length),
        sample.form === 'blob' ? 'seal-mac-mismatch' : 'seal-truncated',
      ],
    ] as const) {
      writeFileSync(path, content)
      await rejectsCode(code, resealFile(path, MOVE))
      assert.ok(readFileSync(path).equals(content), sample.name)
      const { moved, already, failures } = await run([path])
      assert.deepEqual([moved, already, failures.map(({ error }) => error.code)], [0, 0, [code]])
    }
  }
  assert.deepEqual(namesIn(directory), ['blob', 'empty', 'stream'])
})

test('what is there already is worked through as what is moved, and a stop stops it', async t => {
  const directory = await filled(t)
  await run([directory])
  let bytes = 0
  const report = (event: ResealEvent): void => {
    if (event.step === 'progress') bytes += event.bytes
    else assert.fail(event.step)
  }
  await run([directory], { report })
  assert.equal(
    bytes,
    SAMPLES.reduce((sum, { size }) => sum + size, 0),
  )
  const stream = join(directory, STREAM.name)
  await rejectsCode('interrupted', resealFile(stream, { ...MOVE, signal: AbortSignal.abort() }))
})

test('a file that is moved keeps its permissions', { skip: process.platform === 'win32' }, async t => {
  const directory = await filled(t)
  chmodSync(join(directory, 'blob'), 0o604)
  await run([directory])
  assert.equal(statSync(join(directory, 'blob')).mode & 0o777, 0o604)
  assert.equal(statSync(join(directory, 'empty')).mode & 0o777, 0o640)
})

test('a file that is moved keeps its owner', { skip: !isRoot && 'only root gives files away' }, async t => {
  const directory = await filled(t)
  chownSync(join(directory, 'blob'), 65_534, 65_533)
  chownSync(join(directory, 'empty'), 0, 65_533)
  chownSync(join(directory, STREAM.name), 65_534, 0)
  assert.equal((await run([directory])).moved, 3)
  const ownersOf = (name: string): number[] => {
    const { uid, gid } = statSync(join(directory, name))
    return [uid, gid]
  }
  assert.deepEqual(['blob', 'empty', STREAM.name].map(ownersOf), [
    [65_534, 65_533],
    [0, 65_533],
    [65_534, 0],
  ])
})

test('other code of the same version, or another key of the same kind, is another place to be', async t => {
  const directory = await filled(t)
  const path = join(directory, BLOB.name)
  const code = { ...OLD, identity: { ...IDENTITY, mrEnclave: NEW.identity.mrEnclave } }
  assert.equal(await resealFile(path, { ...MOVE, to: code }), true)
  assert.equal(await resealFile(path, { ...MOVE, to: code }), false)
  const key = { ...code, root: OTHER_ROOT }
  assert.equal(await resealFile(path, { ...MOVE, from: code, to: key }), true)
  assert.equal(await resealFile(path, { ...MOVE, from: code, to: key }), false)
})

test('the policy of each file is kept, or that which is asked for is given', async t => {
  const directory = await filled(t)
  const policyOf = ({ name }: { name: string }) => parseHeader(readFileSync(join(directory, name))).policy
  await run([directory])
  assert.deepEqual(SAMPLES.map(policyOf), ['mrEnclave', 'mrEnclave', 'mrSigner'])
  const summary = await run([directory], { from: NEW, policy: 'mrSigner' })
  assert.deepEqual([summary.moved, summary.already], [2, 1])
  assert.deepEqual(SAMPLES.map(policyOf), ['mrSigner', 'mrSigner', 'mrSigner'])
})

test('a newer version of the same root takes over what the older sealed', async t => {
  const directory = await filled(t)
  const to = { root: OLD.root, identity: NEW.identity }
  assert.equal((await run([directory], { to })).moved, 3)
  assert.equal(parseHeader(readFileSync(join(directory, STREAM.name))).isvSvn, 4)
  // A platform whose firmware is newer is another place to be.
  const root = makeRoot({ ...OLD.root, cpuSvn: new Uint8Array(16).fill(6) })
  assert.equal((await run([directory], { from: { ...to, root }, to: { ...to, root } })).moved, 3)
})

test('files are found once, through links that are named and never through links that are found', async t => {
  const directory = await filled(t)
  const outside = await filled(t)
  writeFileSync(join(directory, 'notes.txt'), 'not sealed')
  symlinkSync(join(outside, 'blob'), join(directory, 'link'))
  symlinkSync('..', join(directory, 'below', 'loop'))
  const named = join(outside, 'named')
  symlinkSync(join(directory, 'blob'), named)
  const summary = await run([directory, join(directory, 'blob'), named])
  assert.deepEqual(summary, { moved: 3, already: 0, left: 3, failures: [], interrupted: false })
  assert.equal(whereIs(outside, BLOB), 'old')
  await run([named.replace('named', 'blob')])
  assert.equal(whereIs(outside, BLOB), 'new')
})

test('a link is not replaced by what it leads to, and a pipe holds nothing up', {
  skip: process.platform === 'win32',
}, async t => {
  const directory = await filled(t)
  const link = join(directory, 'link')
  symlinkSync(join(directory, 'blob'), link)
  await rejectsCode('file-unreadable', resealFile(link, MOVE))
  assert.ok(lstatSync(link).isSymbolicLink())
  const pipe = join(directory, 'pipe')
  execFileSync('mkfifo', [pipe])
  const { files, failures } = await findSealed([pipe])
  assert.deepEqual([files, failures.map(({ error }) => error.code)], [[], ['seal-malformed']])
})

test('what fails is told with its code, is as it was, and keeps no other file', async t => {
  const directory = await filled(t)
  const broken = join(directory, 'below', 'stream')
  const content = readFileSync(broken)
  content[70_000]! ^= 1
  writeFileSync(broken, content)
  writeFileSync(join(directory, 'foreign'), await sealSample(BLOB, { ...OLD, root: OTHER_ROOT }))
  writeFileSync(join(directory, 'short'), content.subarray(0, 60))
  writeFileSync(join(directory, 'text'), 'not sealed')
  const summary = await run([directory, join(directory, 'text'), join(directory, 'missing')])
  const codes = summary.failures.map(({ path, error }) => [path.slice(directory.length + 1), error.code])
  assert.deepEqual(codes, [
    ['text', 'seal-malformed'],
    ['missing', 'file-unreadable'],
    ['below/stream', 'seal-mac-mismatch'],
    ['foreign', 'seal-root-mismatch'],
    ['short', 'seal-malformed'],
  ])
  assert.deepEqual([summary.moved, summary.interrupted], [2, false])
  assert.deepEqual(readFileSync(broken), content)
  assert.deepEqual(namesIn(directory), ['blob', 'empty', 'foreign', 'short', 'stream', 'text'])
})

test('a file that may not be read is told', { skip: isRoot && 'root reads everything' }, async t => {
  const directory = await filled(t)
  chmodSync(join(directory, 'blob'), 0o000)
  const { failures, moved } = await run([directory])
  assert.deepEqual([failures.map(({ error }) => error.code), moved], [['file-unreadable'], 2])
})

test('nothing moves to another signer or product, to an older version, or out of or into debug', async t => {
  const directory = await filled(t)
  const path = join(directory, STREAM.name)
  for (const change of [
    { mrSigner: OTHER_SIGNER.mrSigner },
    { isvProdId: 8 },
    { isvSvn: 2 },
    { debug: true },
  ]) {
    const to = { ...NEW, identity: { ...NEW.identity, ...change } }
    await rejectsCode('reseal-forbidden', resealFile(path, { ...MOVE, to }))
  }
  const from = { ...OLD, identity: { ...IDENTITY, isvSvn: 2 } }
  await rejectsCode('seal-svn-too-new', resealFile(path, { ...MOVE, from }))
  assert.equal(whereIs(directory, STREAM), 'old')
})

/** The one unfinished file of a directory. */
function unfinished(directory: string): string {
  const name = readdirSync(directory).find(name => name.startsWith('.casemate-'))
  assert.ok(name !== undefined)
  return join(directory, name)
}

const disturbances: Readonly<
  Record<string, readonly [ResealEvent['step'], (directory: string) => void, EnclaveErrorCode]>
> = {
  'a new file that lost a bit on its way to the disk': [
    'synced',
    directory => {
      const content = readFileSync(unfinished(directory))
      content[content.length - 20]! ^= 1
      writeFileSync(unfinished(directory), content)
    },
    'reseal-unverified',
  ],
  'a new file that was cut': [
    'synced',
    directory => writeFileSync(unfinished(directory), ''),
    'reseal-unverified',
  ],
  'a new file that is gone': ['synced', directory => unlinkSync(unfinished(directory)), 'reseal-unverified'],
  'an old file that somebody wrote to': [
    'written',
    directory => appendFileSync(join(directory, 'blob'), 'x'),
    'file-changed',
  ],
  'an old file that somebody replaced': [
    'verified',
    directory => {
      writeFileSync(join(directory, 'other'), readFileSync(join(directory, 'blob')))
      renameSync(join(directory, 'other'), join(directory, 'blob'))
    },
    'file-changed',
  ],
  'an old file that became a link': [
    'verified',
    directory => {
      renameSync(join(directory, 'blob'), join(directory, 'other'))
      symlinkSync('other', join(directory, 'blob'))
    },
    'file-changed',
  ],
  'an old file that somebody deleted': [
    'verified',
    directory => unlinkSync(join(directory, 'blob')),
    'file-changed',
  ],
}
for (const [what, [step, disturb, code]] of Object.entries(disturbances)) {
  test(`${what} is noticed before anything is replaced`, async t => {
    const directory = await filled(t)
    const path = join(directory, 'blob')
    let left: Buffer | null = null
    const disturbed = at(step, () => {
      disturb(directory)
      left = statSync(path, { throwIfNoEntry: false }) === undefined ? null : readFileSync(path)
    })
    await rejectsCode(code, resealFile(path, { ...MOVE, ...disturbed }))
    const now = statSync(path, { throwIfNoEntry: false }) === undefined ? null : readFileSync(path)
    assert.deepEqual(now, left)
    assert.ok(!namesIn(directory).some(name => name.startsWith('.')))
  })
}

test('a new file with another label does not pass, even if it opens', async t => {
  const directory = await filled(t)
  const options = { ...NEW, policy: BLOB.policy, additionalData: Buffer.from('other') }
  const other = seal(plaintextOfSample(BLOB), options)
  const swap = at('synced', () => writeFileSync(unfinished(directory), other))
  await rejectsCode('reseal-unverified', resealFile(join(directory, 'blob'), { ...MOVE, ...swap }))
  assert.equal(whereIs(directory, BLOB), 'old')
})

test('a new file with other plaintext does not pass, even if it opens', async t => {
  const directory = await filled(t)
  const other = await sealSample({ ...BLOB, size: 999 }, NEW)
  const swap = at('synced', () => writeFileSync(unfinished(directory), other))
  await rejectsCode('reseal-unverified', resealFile(join(directory, 'blob'), { ...MOVE, ...swap }))
  assert.equal(whereIs(directory, BLOB), 'old')
})

test('a run that is stopped leaves every file whole, and the next one does the rest', async t => {
  for (const step of ['created', 'progress', 'synced', 'settled'] as const) {
    const directory = await filled(t)
    const stop = new AbortController()
    const stopping = at(step, path => {
      if (path.endsWith('stream')) stop.abort()
    })
    const summary = await run([directory], { ...stopping, signal: stop.signal })
    assert.deepEqual([summary.interrupted, summary.failures], [true, []], step)
    assert.ok(!namesIn(directory).some(name => name.startsWith('.')))
    whereAll(directory)
    const rest = await run([directory])
    assert.equal(rest.already, summary.moved)
    assert.deepEqual(whereAll(directory), ['new', 'new', 'new'])
  }
})

test('a run that was stopped before it began does nothing, and says so', async t => {
  const directory = await filled(t)
  const summary = await run([join(directory, 'blob')], { signal: AbortSignal.abort() })
  assert.deepEqual([summary.moved, summary.already, summary.interrupted], [0, 0, true])
  assert.equal(whereIs(directory, BLOB), 'old')
})

test('a file that was moved has its name on disk before the next step', {
  skip: process.platform === 'win32' && 'has no handle of a directory',
}, async t => {
  const directory = await filled(t)
  const steps: string[] = []
  const { open } = fs.promises
  t.mock.method(fs.promises, 'open', async (...args: Parameters<typeof open>) => {
    if (args[0] === directory) steps.push('directory')
    return open(...args)
  })
  syncBuiltinESMExports()
  try {
    await resealFile(join(directory, 'blob'), { ...MOVE, report: ({ step }) => void steps.push(step) })
  } finally {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  }
  assert.deepEqual(steps.slice(-3), ['replaced', 'directory', 'settled'])
})

test('what a process that is gone left unfinished is taken away, and what a running one makes is not', async t => {
  const directory = await filled(t)
  const gone = join(directory, '.casemate-4194304999-0123456789abcdef')
  const live = join(directory, `.casemate-${process.ppid}-0123456789abcdef`)
  const other = join(directory, '.casemate-notes')
  for (const path of [gone, live, other]) writeFileSync(path, 'x')
  await run([join(directory, 'blob')])
  assert.deepEqual(
    [gone, live, other].map(path => statSync(path, { throwIfNoEntry: false }) !== undefined),
    [false, true, true],
  )
})
