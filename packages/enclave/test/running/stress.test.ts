// Many calls of every kind at once, on instances that trap meanwhile, and in the long form also run into their limits, on
// a machine with too much to do: every call is answered, with its own answer or with the error that it asked for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Enclave } from '../../src/running/enclave.ts'
import { ALLOC, FREE, FUNCTIONS, makeImage } from './modules.ts'

const isLong = process.env['CASEMATE_LONG_TESTS'] === '1'
const ROUNDS = isLong ? 60 : 4
const CALLS = 100
/** Threads that do nothing but take the processors away. */
const RIVALS = isLong ? 3 : 0
const SIZES = [0, 1, 100, 1024, 16_384, 70_000, 300_000, 2_500_000]
const NAMES = ['echo', 'copy', 'status', 'trap', 'wild', 'spin'] as const

/** Numbers that look random, the same each time. */
function sequence(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

async function start(threads: number): Promise<Enclave> {
  const image = makeImage({
    module: {
      functions: [ALLOC, FREE, ...NAMES.map(name => FUNCTIONS[name]!)],
      memory: { min: 1, max: 200, name: 'memory' },
    },
    functions: NAMES.map(name => FUNCTIONS[name]!),
    manifest: { threads, memoryPages: 200 },
  })
  return Enclave.create(image, {
    platform: { sealing: null, secrets: new Map(), log: () => undefined, report: () => undefined },
    debug: false,
    signers: 'any',
    measurement: 'any',
    // No time-out but that of `spin` is wanted, however busy the machine.
    limits: { callMs: isLong ? 10_000 : 600_000, startMs: 600_000 },
  })
}

const CODES: Readonly<Record<string, string>> = {
  status: 'call-failed',
  trap: 'enclave-crashed',
  wild: 'enclave-crashed',
  spin: 'enclave-timeout',
}

/** One call or batch, and whether it came out as it must. */
async function callOnce(enclave: Enclave, name: string, next: (below: number) => number): Promise<void> {
  const count = next(4) === 0 ? 1 + next(8) : 1
  const inputs = Array.from({ length: count }, () =>
    new Uint8Array(SIZES[next(SIZES.length)]!).fill(next(256)),
  )
  const wanted = inputs.map(input => input.slice())
  const options = { transfer: next(3) === 0 }
  const outputs =
    count === 1
      ? enclave.call(name, inputs[0]!, options).then(output => [output])
      : enclave.callBatch(name, inputs, options)
  const code = CODES[name]
  if (code === undefined) {
    const got = await outputs
    assert.equal(got.length, count)
    assert.ok(got.every((output, index) => Buffer.compare(output, wanted[index]!) === 0))
  } else {
    await assert.rejects(outputs, { code })
  }
}

for (const threads of [1, 3]) {
  test(`on ${threads} of its instances every call gets its own answer`, async t => {
    const rivals = Array.from({ length: RIVALS }, () => new Worker('for (;;) ;', { eval: true }))
    t.after(() => Promise.all(rivals.map(rival => rival.terminate())))
    const enclave = await start(threads)
    t.after(() => enclave.close())
    const next = sequence(threads)
    for (let round = 0; round < ROUNDS; round++) {
      const names = Array.from({ length: CALLS }, () => {
        const kind = next(100)
        if (kind < 45) return 'echo'
        if (kind < 90) return 'copy'
        return kind < 97 ? 'status' : NAMES[3 + next(2)]!
      })
      // It takes all of its time.
      if (isLong && round % 50 === 0) names[next(CALLS)] = 'spin'
      await Promise.all(names.map(name => callOnce(enclave, name, next)))
    }
  })
}
