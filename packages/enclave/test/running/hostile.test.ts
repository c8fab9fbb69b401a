// A campaign of hostile modules: too much of each thing that a module can have, and a good module with changes anywhere.
// Each is refused or fails alone, and an enclave beside it answers all the while, in the process that would have died.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EnclaveError } from '../../src/errors.ts'
import { encodeImage, parseImage } from '../../src/image/image.ts'
import type { Manifest } from '../../src/image/manifest.ts'
import { signImage } from '../../src/image/sign.ts'
import { limitOf, type WasmLimit } from '../../src/image/wasm-limits.ts'
import { Enclave } from '../../src/running/enclave.ts'
import { rejectsCode } from '../expect-code.ts'
import { GOOD, ID, MAKE, moduleOf, REFUSED, sectionsOf, withBody } from '../image/hostile.ts'
import { DATE, SIGNING } from '../image/keys.ts'
import { bytes, functions, run } from './fixture.ts'
import { makeUnsigned } from './modules.ts'
import { leb } from './wasm-encoder.ts'

const isLong = process.env['CASEMATE_LONG_TESTS'] === '1'
const MUTANTS = isLong ? 5000 : 60

/** Starts any code at all, as an image that is right in everything else. */
function start(code: Uint8Array, manifest: Partial<Manifest> = {}): Promise<Enclave> {
  const own = parseImage(makeUnsigned({ manifest })).manifest
  const image = signImage(encodeImage(own, code), { ...DATE, privateKey: SIGNING.privateKey })
  return Enclave.create(image, {
    platform: { sealing: null, secrets: new Map(), log: () => undefined, report: () => undefined },
    debug: false,
    signers: 'any',
    measurement: 'any',
    limits: { callMs: 1000, startMs: 10_000 },
  })
}

async function answers(enclave: Enclave): Promise<void> {
  assert.deepEqual(await enclave.call('echo', bytes('still here')), bytes('still here'))
}

test('an enclave answers while modules that want too much are refused beside it', async t => {
  const { enclave, events } = await run(t, functions('echo'))
  for (const name of Object.keys(MAKE) as WasmLimit[]) {
    await rejectsCode('limit-exceeded', start(MAKE[name](limitOf(name) * 2)))
    await answers(enclave)
  }
  for (const [, code, module] of REFUSED) {
    await rejectsCode(code as EnclaveError['code'], start(module))
    await answers(enclave)
  }
  assert.deepEqual(events, [])
})

/** `echo` grows the table by the most that it can have, and drops what comes of it. */
function growing(most: number): Uint8Array {
  const sections = sectionsOf(GOOD)
  const grow = [0xd2, 0, 0x41, ...sleb(most), 0xfc, 15, 0, 0x1a]
  const code = Buffer.from(sections.get(ID.code)!)
  const echo = code.lastIndexOf(Buffer.of(0, 0x20, 0))
  const rest = code.subarray(echo + 1)
  const body = Buffer.concat([Uint8Array.from([0, ...grow]), rest])
  const before = code.subarray(0, echo - 1)
  sections.set(ID.code, Buffer.concat([before, Uint8Array.from(leb(body.length)), body]))
  sections.set(ID.table, Uint8Array.from([1, 0x70, 1, 0, ...leb(most)]))
  // A function that is referred to is declared.
  sections.set(ID.element, Uint8Array.of(1, 3, 0, 1, 0))
  return moduleOf(sections)
}

function sleb(value: number): number[] {
  // Never negative: one more byte of zeros keeps the sign.
  const parts = leb(value)
  return parts.at(-1)! >= 0x40 ? [...parts.slice(0, -1), parts.at(-1)! | 0x80, 0] : parts
}

test('a table that grows to the most that is allowed, in two instances, harms nobody', async t => {
  const most = limitOf('references') - 1
  const enclave = await start(growing(most), { memoryPages: 256, threads: 2 })
  t.after(() => enclave.close())
  const calls = Array.from({ length: 8 }, () => answers(enclave))
  await Promise.all(calls)
})

/** `echo` fills memory for ever, as much of it at each turn as there is. */
function filling(pages: number): Uint8Array {
  const sections = sectionsOf(GOOD)
  const code = Buffer.from(sections.get(ID.code)!)
  const echo = code.lastIndexOf(Buffer.of(0, 0x20, 0))
  const fill = [0x41, 0, 0x41, 1, 0x41, ...sleb(pages * 65_536), 0xfc, 11, 0]
  const body = Buffer.concat([
    Uint8Array.from([0, 0x03, 0x40, ...fill, 0x0c, 0, 0x0b]),
    code.subarray(echo + 1),
  ])
  sections.set(ID.code, Buffer.concat([code.subarray(0, echo - 1), Uint8Array.from(leb(body.length)), body]))
  sections.set(ID.memory, Uint8Array.from([1, 1, ...leb(pages), ...leb(pages)]))
  return moduleOf(sections)
}

test('a thread that fills memory for ever ends when its time is over', async t => {
  const enclave = await start(filling(1024), { memoryPages: 1024 })
  t.after(() => enclave.close())
  await rejectsCode('enclave-timeout', enclave.call('echo', bytes('x')))
  // The next call is taken up by an instance that is there only when the thread of the first has ended.
  await rejectsCode('enclave-timeout', enclave.call('echo', bytes('x')))
})

/** Numbers that look random, the same each time. */
function sequence(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Bytes changed, put in, taken out or repeated, one to four times. */
function mutate(code: Uint8Array, next: (below: number) => number): Uint8Array {
  let mutant = Buffer.from(code)
  for (let left = 1 + next(4); left > 0; left--) {
    const at = 8 + next(mutant.length - 8)
    const length = next(6)
    const [before, behind] = [mutant.subarray(0, at), mutant.subarray(at)]
    const kind = next(4)
    if (kind === 0) mutant = Buffer.concat([before, Uint8Array.of(next(256)), behind.subarray(1)])
    else if (kind === 1) mutant = Buffer.concat([before, Uint8Array.of(next(256)), behind])
    else if (kind === 2) mutant = Buffer.concat([before, behind.subarray(length)])
    else mutant = Buffer.concat([before, behind.subarray(0, length), behind])
  }
  return mutant
}

test('an enclave answers while changed modules are started beside it', async t => {
  const { enclave, events } = await run(t, functions('echo'))
  const next = sequence(7)
  const seeds = [GOOD, growing(100), withBody([1, 8, 0x7f], [0x02, 0x40, 0x20, 0, 0x0d, 0, 0x0b])]
  let started = 0
  for (let round = 0; round < MUTANTS; round++) {
    const mutant = mutate(seeds[round % seeds.length]!, next)
    try {
      const hostile = await start(mutant)
      started++
      const called = await Promise.allSettled([hostile.call('echo', bytes('x'))])
      await hostile.close()
      if (called[0].status === 'rejected') throw called[0].reason
    } catch (error) {
      assert.ok(error instanceof EnclaveError, `${Buffer.from(mutant).toString('hex')}: ${String(error)}`)
    }
    await answers(enclave)
  }
  assert.ok(started > 0)
  assert.deepEqual(events, [])
})
