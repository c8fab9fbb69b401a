// Whatever code does wrong ends its instance and nothing else.
import assert from 'node:assert/strict'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import workerThreads from 'node:worker_threads'
import { Enclave } from '../../src/running/enclave.ts'
import { rejectsCode } from '../expect-code.ts'
import { bytes, functions, type Running, run } from './fixture.ts'
import { FUNCTIONS, IMPORTS, makeImage } from './modules.ts'

for (const [name, code] of [
  ['trap', 'enclave-crashed'],
  ['deep', 'enclave-crashed'],
  ['wild', 'enclave-crashed'],
  ['spin', 'enclave-timeout'],
] as const) {
  test(`${name} ends the instance with ${code}; another takes its place, and waiting calls go on`, async t => {
    // `deep` calls function 2, itself: it stands first.
    const { enclave, events, next } = await run(t, functions(name, 'count'), { limits: { callMs: 500 } })
    await enclave.call('count', Uint8Array.of(0))
    const failing = enclave.call(name, bytes('x'))
    const waiting = enclave.call('count', Uint8Array.of(0))
    await rejectsCode(code, failing)
    // A new instance: it counts from one.
    assert.deepEqual(await waiting, Uint8Array.of(1))
    await next('instance-replaced')
    assert.deepEqual(
      events.map(event => ('code' in event ? event.code : event.type)),
      [code, 'instance-replaced'],
    )
  })
}

test('of calls that were made together, those before a trap are answered, and those behind it as well', async t => {
  const { enclave, events } = await run(t, functions('trap', 'count'))
  const count = (): Promise<Uint8Array> => enclave.call('count', Uint8Array.of(0))
  const before = Array.from({ length: 5 }, count)
  const trapped = rejectsCode('enclave-crashed', enclave.call('trap', bytes('x')))
  const after = Array.from({ length: 5 }, count)
  assert.deepEqual(
    (await Promise.all(before)).map(([number]) => number),
    [1, 2, 3, 4, 5],
  )
  await trapped
  assert.deepEqual(
    (await Promise.all(after)).map(([number]) => number),
    [1, 2, 3, 4, 5],
  )
  assert.equal(events.filter(event => event.type === 'instance-failed').length, 1)
})

test('memory exhaustion ends the instance with out-of-memory and the process goes on', async t => {
  const { enclave, next } = await run(t, functions('copy', 'echo'))
  await rejectsCode('out-of-memory', enclave.call('echo', new Uint8Array(262_000)))
  const event = await next('instance-failed')
  assert.equal('code' in event && event.code, 'out-of-memory')
  assert.deepEqual(await enclave.call('copy', bytes('still here')), bytes('still here'))
})

test('what one instance does wrong does not touch another', async t => {
  const { enclave } = await run(t, { ...functions('trap', 'echo'), manifest: { threads: 2 } })
  const trapped = rejectsCode('enclave-crashed', enclave.call('trap', bytes('x')))
  assert.deepEqual(await enclave.call('echo', bytes('fine')), bytes('fine'))
  await trapped
})

/** Runs what starts threads: how many there were, how many at once, and how many are left. */
async function threadsOf(
  run: () => Promise<unknown>,
): Promise<{ most: number; started: number; left: number }> {
  const { Worker } = workerThreads
  const count = { most: 0, started: 0, left: 0 }
  class Counted extends Worker {
    constructor(...given: ConstructorParameters<typeof Worker>) {
      super(...given)
      count.started++
      count.most = Math.max(count.most, ++count.left)
      this.once('exit', () => count.left--)
    }
  }
  workerThreads.Worker = Counted
  syncBuiltinESMExports()
  try {
    await run()
    return { ...count }
  } finally {
    workerThreads.Worker = Worker
    syncBuiltinESMExports()
  }
}

test('an instance is replaced when its thread has ended, so that their memory is never there twice', async t => {
  const { most, started } = await threadsOf(async () => {
    const { enclave, next } = await run(t, functions('trap', 'echo'))
    await rejectsCode('enclave-crashed', enclave.call('trap', bytes('x')))
    await next('instance-replaced')
    assert.deepEqual(await enclave.call('echo', bytes('x')), bytes('x'))
  })
  assert.deepEqual({ most, started }, { most: 1, started: 2 })
})

/** Runs what starts threads, of which none is seen to end: a thread that really goes on would only heat the machine. */
async function withUnending(run: () => Promise<unknown>): Promise<void> {
  const { Worker } = workerThreads
  const ends: Promise<number>[] = []
  class Unending extends Worker {
    override terminate(): Promise<number> {
      this.removeAllListeners('exit')
      ends.push(super.terminate())
      return new Promise(() => undefined)
    }
  }
  workerThreads.Worker = Unending
  syncBuiltinESMExports()
  try {
    await run()
  } finally {
    workerThreads.Worker = Worker
    syncBuiltinESMExports()
    await Promise.all(ends)
  }
}

test('a thread that does not end is waited for only so long: the enclave is lost, calls fail, and it closes', t =>
  withUnending(async () => {
    const limits = { callMs: 300, startMs: 2000 }
    const { enclave, events, next } = await run(t, functions('spin', 'echo'), { limits })
    const spinning = rejectsCode('enclave-timeout', enclave.call('spin', bytes('x')))
    await rejectsCode('enclave-lost', enclave.call('echo', bytes('waits')))
    await spinning
    await next('enclave-lost')
    assert.deepEqual(
      events.map(event => event.type),
      ['instance-failed', 'instance-lost', 'enclave-lost'],
    )
    await rejectsCode('enclave-lost', enclave.call('echo', bytes('x')))
    await enclave.close()
  }))

test('where one of two threads does not end, its place stays empty, which is told, and the other answers', t =>
  withUnending(async () => {
    const what = { ...functions('spin', 'echo'), manifest: { threads: 2 } }
    const { enclave, next } = await run(t, what, { limits: { callMs: 300, startMs: 2000 } })
    await rejectsCode('enclave-timeout', enclave.call('spin', bytes('x')))
    const lost = await next('instance-lost')
    assert.equal('code' in lost && lost.code, 'enclave-timeout')
    assert.deepEqual(await enclave.call('echo', bytes('fine')), bytes('fine'))
    // While threads are still those that do not end: what is closed later would stay.
    await enclave.close()
  }))

test('to close and to refuse a start, threads that do not end are waited for only so long', t =>
  withUnending(async () => {
    const { enclave } = await run(t, functions('spin'), { limits: { startMs: 2000 } })
    const spinning = rejectsCode('enclave-closed', enclave.call('spin', bytes('x')))
    await Promise.all([enclave.close(), spinning])
    const start = { ...FUNCTIONS['trap']!, name: '_initialize', params: [], results: [] }
    const what = { functions: [FUNCTIONS['echo']!, start], manifest: { exports: ['echo'] } }
    await rejectsCode('enclave-crashed', run(t, what, { limits: { startMs: 2000 } }))
  }))

test('no thread is left of an enclave that did not start', async t => {
  const start = { ...FUNCTIONS['trap']!, name: '_initialize', params: [], results: [] }
  const what = { functions: [FUNCTIONS['echo']!, start], manifest: { exports: ['echo'], threads: 2 } }
  const { started, left } = await threadsOf(() => rejectsCode('enclave-crashed', run(t, what)))
  assert.deepEqual({ started, left }, { started: 2, left: 0 })
})

test('code that fails to start is an error of create', async () => {
  const start = { ...FUNCTIONS['trap']!, name: '_initialize', params: [], results: [] }
  const image = makeImage({
    functions: [FUNCTIONS['echo']!, start],
    manifest: { exports: ['echo'], threads: 2 },
  })
  const platform = { sealing: null, secrets: new Map(), log: () => undefined, report: () => undefined }
  const options = { platform, debug: false, signers: 'any', measurement: 'any' } as const
  await rejectsCode('enclave-crashed', Enclave.create(image, options))
  const spin = {
    ...FUNCTIONS['spin']!,
    name: '_initialize',
    params: [],
    results: [],
    body: [0x03, 0x40, 0x0c, 0, 0x0b],
  }
  const slow = makeImage({ functions: [FUNCTIONS['echo']!, spin], manifest: { exports: ['echo'] } })
  await rejectsCode('enclave-timeout', Enclave.create(slow, { ...options, limits: { startMs: 300 } }))
})

test('closing ends what is under way and refuses what comes after', async t => {
  const { enclave } = await run(t, functions('spin', 'echo'))
  const running = enclave.call('spin', bytes('x'))
  const waiting = enclave.call('echo', bytes('x'))
  const both = Promise.all([rejectsCode('enclave-closed', running), rejectsCode('enclave-closed', waiting)])
  await enclave.close()
  await both
  await rejectsCode('enclave-closed', enclave.call('echo', bytes('x')))
})

test('an enclave of which no instance can be started again is lost, and says so', async t => {
  // Starts only if a random bit allows it.
  const initialize = {
    name: '_initialize',
    params: [],
    results: [],
    body: [0x41, 0, 0x41, 1, 0x10, 0, 0x41, 0, 0x2d, 0, 0, 0x41, 1, 0x71, 0x04, 0x40, 0x00, 0x0b],
  }
  const what = {
    module: { imports: [IMPORTS.random] },
    functions: [FUNCTIONS['trap']!, initialize],
    manifest: { exports: ['trap'] },
  }
  const tries = Array.from({ length: 64 })
  let running: Running | null = null
  for (const _ of tries) running ??= await run(t, what).catch(() => null)
  const { enclave, events } = running!
  const codes: unknown[] = []
  for (const _ of tries) {
    if (codes.at(-1) === 'enclave-lost') break
    await enclave.call('trap', bytes('x')).catch(error => codes.push(error.code))
  }
  assert.equal(codes.at(-1), 'enclave-lost')
  assert.equal(events.at(-1)?.type, 'enclave-lost')
  await rejectsCode('enclave-lost', enclave.call('trap', bytes('x')))
})
