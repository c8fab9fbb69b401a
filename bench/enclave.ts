// The cost of the enclave layer: the same code, called directly with a copy in and a copy out, and through an enclave of
// one instance. A thread of its own costs latency for a single call, and none for calls that follow each other closely.
import { generateKeyPairSync } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { buildEnclave, Enclave, parseImage, signImage } from '@casemate/enclave'
import { type Case, type Measured, measure, scaled } from './measure.ts'
import { printRates, printRatio } from './report.ts'

/** A settled payment, a genotype request, a small file, a camera frame of 512 x 288 RGB. */
const SIZES = [1_024, 16_384, 153_600, 442_368]
/** As much as is in flight at once. */
const IN_FLIGHT_BYTES = 3_000_000
const MAX_IN_FLIGHT = 256
/** The layer may cost 5 %. */
const BUDGET = { atMost: 1.05 }

/** Prints the tables of this topic. */
export async function benchEnclave(): Promise<void> {
  const entry = fileURLToPath(new URL('assembly/hash.ts', import.meta.url))
  const image = await buildEnclave({ entry })
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 })
  const enclave = await Enclave.create(signImage(image, { date: '20260101', privateKey }), {
    platform: { sealing: null, secrets: new Map(), log: () => undefined, report: console.error },
    debug: false,
    signers: 'any',
    measurement: 'any',
  })
  const plain = await instantiate(parseImage(image).code)
  try {
    for (const size of SIZES) {
      for (const name of ['hash', 'echo']) await benchSize(name, size, { enclave, plain })
    }
  } finally {
    await enclave.close()
  }
}

interface Both {
  readonly enclave: Enclave
  readonly plain: (name: string, input: Uint8Array) => Uint8Array
}

async function benchSize(name: string, size: number, { enclave, plain }: Both): Promise<void> {
  const input = new Uint8Array(size).fill(7)
  const count = Math.max(4, Math.min(MAX_IN_FLIGHT, Math.floor(IN_FLIGHT_BYTES / size)))
  const inputs = Array.from({ length: count }, () => input)
  const digest = (output: Uint8Array): string => Buffer.from(output.subarray(0, 32)).toString('hex')
  if (digest(plain(name, input)) !== digest(await enclave.call(name, input))) throw new Error('other answers')
  const half = inputs.slice(count >> 1)
  const cases: readonly (Case & { readonly times: number })[] = [
    { name: 'called directly, two copies', times: 1, run: () => plain(name, input) },
    { name: 'enclave, one call after the other', times: 1, run: () => enclave.call(name, input) },
    {
      name: `enclave, ${count} calls in flight`,
      times: count,
      run: () => Promise.all(inputs.map(one => enclave.call(name, one))),
    },
    {
      name: `enclave, 2 batches of ${half.length} in flight`,
      times: 2 * half.length,
      run: () => Promise.all([enclave.callBatch(name, half), enclave.callBatch(name, half)]),
    },
  ]
  const measured = await measure(cases)
  const [direct, single, piped, batched] = measured.map((one, index) => scaled(one, cases[index]!.times))
  const kind = name === 'hash' ? 'SHA-256 of' : 'nothing done with'
  printRates(`Enclave: ${kind} ${size.toLocaleString('en')} bytes, as many out`, [
    direct!,
    single!,
    piped!,
    batched!,
  ])
  const limit = name === 'hash' ? BUDGET : 'none'
  printRatio('cost of one call after the other', direct!, single!, 'none')
  printRatio('cost of calls in flight', direct!, piped!, limit)
  printRatio('cost of batches', direct!, batched!, limit)
  printLatency(direct!, single!)
}

/** How long a caller waits for the thread. */
function printLatency(direct: Measured, single: Measured): void {
  const extra = single.rates.map((rate, round) => 1e6 / rate - 1e6 / direct.rates[round]!)
  const [lowest, median] = [Math.min(...extra), extra.toSorted((a, b) => a - b)[extra.length >> 1]!]
  console.log(`  a single call waits ${median.toFixed(0)} µs longer  [lowest ${lowest.toFixed(0)}]`)
}

interface Exports {
  readonly memory: WebAssembly.Memory
  readonly casemate_alloc: (length: number) => number
  readonly casemate_free: (pointer: number, length: number) => void
  readonly _initialize: () => void
  readonly [name: string]: unknown
}

async function instantiate(code: Uint8Array<ArrayBuffer>): Promise<Both['plain']> {
  const module = await WebAssembly.compile(code)
  const exports = new WebAssembly.Instance(module, {}).exports as Exports
  exports._initialize()
  return (name, input) => {
    const pointer = exports.casemate_alloc(input.length) >>> 0
    new Uint8Array(exports.memory.buffer, pointer, input.length).set(input)
    const call = exports[name] as (pointer: number, length: number) => bigint
    const result = BigInt.asUintN(64, call(pointer, input.length))
    const at = Number(result >> 32n)
    const output = new Uint8Array(exports.memory.buffer, at, Number(result & 0xffff_ffffn)).slice()
    exports.casemate_free(pointer, input.length)
    return output
  }
}
