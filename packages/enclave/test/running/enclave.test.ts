// Running enclaves: answers, batches, and what becomes of inputs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rejectsCode } from '../expect-code.ts'
import { bytes, functions, run } from './fixture.ts'
import { ALLOC, FREE, FUNCTIONS } from './modules.ts'

/** 4 MiB. */
const LARGE = { memory: { min: 1, max: 64, name: 'memory' }, functions: [ALLOC, FREE, FUNCTIONS['echo']!] }
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

test('bytes go in and come out, also none', async t => {
  const { enclave } = await run(t, functions('echo', 'copy', 'nothing'))
  for (const name of ['echo', 'copy']) {
    for (const input of [bytes('hello'), new Uint8Array(), new Uint8Array(70_000).fill(7)]) {
      assert.deepEqual(await enclave.call(name, input), input)
    }
  }
  assert.deepEqual(await enclave.call('nothing', bytes('hello')), new Uint8Array())
})

test('SIMD runs', async t => {
  const zeros = Array.from({ length: 16 }, () => 0)
  const { echo } = FUNCTIONS
  const simd = { ...echo!, body: [0xfd, 0x0c, ...zeros, 0x1a, ...echo!.body] }
  const { enclave } = await run(t, { functions: [simd] })
  assert.deepEqual(await enclave.call('echo', bytes('x')), bytes('x'))
})

test('memory is given back: a thousand calls fit where one fits', async t => {
  const { enclave } = await run(t, functions('copy'))
  const inputs = Array.from({ length: 1000 }, (_, index) => new Uint8Array(10_000).fill(index))
  assert.deepEqual(await enclave.callBatch('copy', inputs), inputs)
})

test('input and result are each freed once, a result within the input with it', async t => {
  const { echo, copy, nothing, status } = FUNCTIONS
  // Byte 4 of the memory counts.
  const free = { ...FREE, body: [0x41, 0, 0x41, 0, 0x2d, 0, 4, 0x41, 1, 0x6a, 0x3a, 0, 4] }
  const frees = { ...echo!, name: 'frees', body: [0x41, 4, 0xad, 0x42, 32, 0x86, 0x42, 1, 0x84] }
  const { enclave } = await run(t, {
    functions: [],
    module: { functions: [ALLOC, free, echo!, copy!, nothing!, status!, frees] },
    manifest: { exports: ['copy', 'echo', 'frees', 'nothing', 'status'] },
  })
  const counted = async (): Promise<number> => (await enclave.call('frees', bytes('')))[0]!
  for (const [name, wanted] of [
    ['echo', 1],
    ['copy', 2],
    ['nothing', 1],
    ['status', 1],
  ] as const) {
    const before = await counted()
    await enclave.call(name, bytes('hello')).catch(() => null)
    // Reading the count frees the one byte that it comes in.
    assert.equal((await counted()) - before - 1, wanted, name)
  }
})

test('a batch is answered in its order, an empty one with nothing', async t => {
  const { enclave } = await run(t, functions('echo', 'copy'))
  const inputs = ['a', '', 'ccc'].map(bytes)
  assert.deepEqual(await enclave.callBatch('copy', inputs), inputs)
  assert.deepEqual(await enclave.callBatch('echo', []), [])
})

test('an input is copied, unless it is given away', async t => {
  const { enclave } = await run(t, functions('echo'))
  const kept = new Uint8Array(100).fill(1)
  await enclave.call('echo', kept)
  assert.equal(kept.length, 100)
  const given = new Uint8Array(100).fill(2)
  assert.deepEqual(await enclave.call('echo', given, { transfer: true }), new Uint8Array(100).fill(2))
  assert.equal(given.length, 0)
  const part = new Uint8Array(200).fill(3).subarray(50, 150)
  assert.deepEqual(await enclave.call('echo', part, { transfer: true }), new Uint8Array(100).fill(3))
  assert.equal(part.length, 100)
})

test('a batch that is packed already is given away as it is, any other is copied', async t => {
  const { enclave } = await run(t, functions('echo'))
  const packed = (): Uint8Array[] => {
    const whole = Uint8Array.of(1, 2, 3, 4, 5)
    return [whole.subarray(0, 2), whole.subarray(2, 2), whole.subarray(2)]
  }
  const wanted = packed().map(item => new Uint8Array(item))
  const given = packed()
  assert.deepEqual(await enclave.callBatch('echo', given, { transfer: true }), wanted)
  assert.deepEqual(
    given.map(item => item.length),
    [0, 0, 0],
  )
  const kept = packed()
  assert.deepEqual(await enclave.callBatch('echo', kept), wanted)
  const [first, , last] = packed()
  const part = packed().slice(1)
  for (const inputs of [part, [last!, first!], [Uint8Array.of(9), first!]]) {
    const copies = inputs.map(item => new Uint8Array(item))
    assert.deepEqual(await enclave.callBatch('echo', inputs, { transfer: true }), copies)
    assert.deepEqual(
      inputs.map(item => item.length),
      copies.map(item => item.length),
    )
  }
  assert.deepEqual(
    kept.map(item => new Uint8Array(item)),
    wanted,
  )
})

test('an input that was given away before is refused, and harms nobody', async t => {
  const { enclave, events } = await run(t, functions('echo'))
  const given = new Uint8Array(100)
  const first = enclave.call('echo', given, { transfer: true })
  // This one waits, and is the enclave's already.
  const next = new Uint8Array(100)
  const second = enclave.call('echo', next, { transfer: true })
  assert.equal(next.length, 0)
  await rejectsCode('invalid-parameter', enclave.call('echo', given, { transfer: true }))
  await rejectsCode('invalid-parameter', enclave.callBatch('echo', [given]))
  assert.equal((await first).length, 100)
  assert.equal((await second).length, 100)
  assert.deepEqual(events, [])
})

test('limits that no timer can keep are refused', async t => {
  for (const limits of [{ callMs: Infinity }, { callMs: 0 }, { startMs: 2 ** 31 }, { memoryPages: 1.5 }]) {
    await rejectsCode('invalid-parameter', run(t, functions('echo'), { limits }))
  }
})

test('instances keep their own state, and calls are shared among them', async t => {
  const { enclave } = await run(t, { ...functions('count'), manifest: { threads: 2 } })
  assert.equal(enclave.threads, 2)
  const counts = await Promise.all(Array.from({ length: 10 }, () => enclave.call('count', Uint8Array.of(0))))
  const numbers = counts.map(count => count[0]!)
  // Each of the two counted its own calls from one upwards.
  assert.equal(numbers.filter(number => number === 1).length, 2)
})

test('calls behind one that never ends are served by another instance, each once', async t => {
  const { enclave } = await run(
    t,
    { ...functions('count', 'spin'), manifest: { threads: 2 } },
    { limits: { callMs: 600_000 } },
  )
  const counted = (): Promise<Uint8Array[]> =>
    Promise.all(Array.from({ length: 40 }, (_, index) => enclave.call('count', Uint8Array.of(index))))
  const before = counted()
  const spinning = rejectsCode('enclave-closed', enclave.call('spin', bytes('x')))
  const numbers = [...(await before), ...(await counted())].map(([number]) => number!)
  // Each instance counted what it was asked: no number comes from one of them twice.
  for (const number of numbers) assert.ok(numbers.filter(other => other === number).length <= 2)
  assert.equal(numbers.length, 80)
  await enclave.close()
  await spinning
})

test('an answer does not wait for a slow call that was made behind it', async t => {
  const { enclave } = await run(t, functions('echo', 'spin'), { limits: { callMs: 600_000 } })
  const answered = enclave.call('echo', bytes('x'))
  const spinning = rejectsCode('enclave-closed', enclave.call('spin', bytes('x')))
  assert.deepEqual(await answered, bytes('x'))
  await enclave.close()
  await spinning
})

test('inputs and answers of any size come through, one by one, at once and in batches', async t => {
  const { enclave } = await run(t, {
    module: {
      functions: [ALLOC, FREE, FUNCTIONS['copy']!, FUNCTIONS['echo']!],
      memory: { min: 1, max: 500, name: 'memory' },
    },
    ...functions('copy', 'echo'),
    manifest: { memoryPages: 500 },
  })
  const sizes = [0, 1, 7, 262_144, 2_097_132, 2_097_133, 2_097_152, 5_000_001, 0, 5]
  const inputs = sizes.map((size, index) => new Uint8Array(size).fill(index + 1))
  for (const input of inputs) assert.ok(same(await enclave.call('copy', input), input))
  const all = await Promise.all(inputs.map(input => enclave.call('echo', input)))
  assert.ok(all.every((output, index) => same(output, inputs[index]!)))
  const batch = await enclave.callBatch('copy', [...inputs, ...inputs])
  assert.ok(batch.every((output, index) => same(output, inputs[index % inputs.length]!)))
})

test('what waits is what it was when it was called', async t => {
  const { enclave } = await run(t, { ...functions('echo'), manifest: { memoryPages: 64 }, module: LARGE })
  // More than an instance takes at once: in number, and in bytes.
  for (const [count, size] of [
    [600, 1],
    [6, 1_000_000],
    [3, 3_000_000],
  ] as const) {
    const input = new Uint8Array(size)
    const calls = Array.from({ length: count }, (_, index) => {
      input.fill(index)
      return index % 2 === 0
        ? enclave.call('echo', input)
        : enclave.callBatch('echo', [input]).then(([one]) => one!)
    })
    const outputs = await Promise.all(calls)
    assert.ok(outputs.every((output, index) => output.every(byte => byte === (index & 255))))
  }
})

test('answers to calls share no memory', async t => {
  const { enclave } = await run(t, functions('echo'))
  const outputs = await Promise.all(Array.from({ length: 20 }, () => enclave.call('echo', bytes('x'))))
  assert.equal(new Set(outputs.map(output => output.buffer)).size, 20)
  assert.ok(outputs.every(output => output.buffer.byteLength === 1))
})

test('what is left of a refused batch is passed over, however large, and the next call is answered', async t => {
  const { enclave, events } = await run(t, {
    ...functions('status', 'echo'),
    manifest: { memoryPages: 64 },
    module: { ...LARGE, functions: [ALLOC, FREE, FUNCTIONS['status']!, FUNCTIONS['echo']!] },
  })
  const inputs = Array.from({ length: 30 }, () => new Uint8Array(1_000_000))
  await assert.rejects(enclave.callBatch('status', inputs), { code: 'call-failed', got: '5' })
  assert.deepEqual(await enclave.call('echo', bytes('x')), bytes('x'))
  assert.deepEqual(events, [])
})

test('an idle enclave takes no processor time', async t => {
  const { enclave } = await run(t, { ...functions('echo'), manifest: { threads: 2 } })
  await Promise.all(Array.from({ length: 1000 }, () => enclave.call('echo', bytes('x'))))
  const before = process.cpuUsage()
  await new Promise(resolve => setTimeout(resolve, 500))
  const { user, system } = process.cpuUsage(before)
  // One thread that does not sleep would take all of the time.
  assert.ok(user + system < 250_000, `${user + system} µs`)
})

test('the number of instances comes from the environment where the caller does not say', async t => {
  process.env['ENCLAVE_CPU_COUNT'] = '2'
  t.after(() => delete process.env['ENCLAVE_CPU_COUNT'])
  const { enclave } = await run(t, { ...functions('echo'), manifest: { threads: 3 } })
  assert.equal(enclave.threads, 2)
  process.env['ENCLAVE_CPU_COUNT'] = 'many'
  await rejectsCode('invalid-parameter', run(t, functions('echo')))
})

test('a function that the manifest does not declare is not called', async t => {
  const { enclave } = await run(t, functions('echo'))
  for (const name of ['casemate_alloc', 'memory', '', '__proto__']) {
    await rejectsCode('function-unknown', enclave.call(name, bytes('')))
  }
})

test('an input larger than the enclave is refused without harm', async t => {
  const { enclave, events } = await run(t, functions('echo'))
  await rejectsCode('invalid-parameter', enclave.call('echo', new Uint8Array(262_145)))
  assert.deepEqual(events, [])
})

test('a status is an error of the call alone', async t => {
  const { enclave, events } = await run(t, functions('status', 'count'))
  await enclave.call('count', Uint8Array.of(0))
  await rejectsCode('call-failed', enclave.call('status', bytes('x')))
  await rejectsCode('call-failed', enclave.callBatch('status', [bytes('x'), bytes('y')]))
  assert.deepEqual(await enclave.call('count', Uint8Array.of(0)), Uint8Array.of(2))
  assert.deepEqual(events, [])
})
