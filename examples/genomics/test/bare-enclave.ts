// The enclave's code without a platform around it: an instance in a millisecond, for tests that need hundreds. What is
// "sealed" here is in the form that `casemate.unseal` answers with, so that the code gets any label and any bytes.
import { parseImage } from '@casemate/enclave'
import { builtOnce } from '../../../packages/enclave/test/building/built-once.ts'
import { configurationOf, ENTRY, type Rules } from '../configuration.ts'

export const COHORT = 'cohort'
export const SCORE = 'score'

/** Bytes, or the status that the code answered with. */
export type Answer = Uint8Array<ArrayBuffer> | number

export interface BareEnclave {
  /** @throws {WebAssembly.RuntimeError} if the code traps */
  readonly call: (name: string, input?: Uint8Array) => Answer
}

export interface Input {
  readonly vcf: string | readonly string[]
  readonly score: string
  readonly consents?: string
}

interface Exports {
  readonly memory: WebAssembly.Memory
  readonly casemate_alloc: (length: number) => number
  readonly casemate_free: (pointer: number, length: number) => void
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Builds once; each call of what it gives is a fresh instance. */
export async function bareEnclaves(entry = ENTRY): Promise<(rules?: Partial<Rules>) => BareEnclave> {
  const module = await WebAssembly.compile(new Uint8Array(parseImage(await builtOnce({ entry })).code))
  return (rules = {}) => instantiate(module, configurationOf({ cohort: COHORT, score: SCORE }, rules))
}

export function labelled(label: string, content: string | Uint8Array): Uint8Array {
  const name = encoder.encode(`genomics/1 ${label}`)
  const bytes = typeof content === 'string' ? encoder.encode(content) : content
  const size = new Uint8Array(4)
  new DataView(size.buffer).setUint32(0, name.length, true)
  return Buffer.concat([size, name, bytes])
}

/** Loads and opens; the first status that is not 0, or 0. */
export function load({ call }: BareEnclave, { vcf, score, consents = '' }: Input): number {
  const parts = typeof vcf === 'string' ? [vcf] : vcf
  const steps: [string, Uint8Array][] = [
    ['loadScore', labelled(`score ${SCORE}`, score)],
    ...parts.map((part, index): [string, Uint8Array] => [
      'loadGenotypes',
      labelled(`genotypes ${COHORT} ${index + 1}/${parts.length} set`, part),
    ]),
    ['loadConsents', labelled(`consents ${COHORT}`, consents)],
    ['open', new Uint8Array()],
  ]
  for (const [name, input] of steps) {
    const answer = call(name, input)
    if (typeof answer === 'number') return answer
  }
  return 0
}

export function describe({ call }: BareEnclave): Record<string, unknown> {
  return JSON.parse(decoder.decode(bytesOf(call('describe')))) as Record<string, unknown>
}

/** Lines of `audit`: name, bits of the score, missing calls, band. */
export function auditLines({ call }: BareEnclave): string[][] {
  const text = decoder.decode(bytesOf(call('audit')))
  return text
    .trimEnd()
    .split('\n')
    .map(line => line.split('\t'))
}

export function bytesOf(answer: Answer): Uint8Array<ArrayBuffer> {
  if (typeof answer === 'number') throw new TypeError(`the answer is status ${answer}`)
  return answer
}

function instantiate(module: WebAssembly.Module, configuration: Record<string, string>): BareEnclave {
  const view = (pointer: number, length: number): Uint8Array<ArrayBuffer> =>
    new Uint8Array(exports.memory.buffer, pointer >>> 0, length).slice()
  const give = (bytes: Uint8Array): bigint => {
    if (bytes.length === 0) return 0n
    const pointer = exports.casemate_alloc(bytes.length) >>> 0
    new Uint8Array(exports.memory.buffer).set(bytes, pointer)
    return BigInt.asIntN(64, (BigInt(pointer) << 32n) | BigInt(bytes.length))
  }
  const casemate = {
    config: (pointer: number, length: number) => {
      const value = configuration[decoder.decode(view(pointer, length))]
      return value === undefined ? 1n : give(encoder.encode(value))
    },
    // A blob that is too short to have a label stands for one that does not open: seal-mac-mismatch.
    unseal: (pointer: number, length: number) => (length < 4 ? 5n : give(view(pointer, length))),
    seal: (pointer: number, length: number) => give(view(pointer, length)),
  }
  const instance = new WebAssembly.Instance(module, { casemate })
  const exports = instance.exports as unknown as Exports
  ;(instance.exports['_initialize'] as (() => void) | undefined)?.()
  const call = (name: string, input: Uint8Array = new Uint8Array()): Answer => {
    const given = BigInt.asUintN(64, give(input))
    const pointer = Number(given >> 32n)
    const run = instance.exports[name] as (pointer: number, length: number) => bigint
    const result = BigInt.asUintN(64, run(pointer, input.length))
    const [at, size] = [Number(result >> 32n), Number(result & 0xffff_ffffn)]
    const answer = at === 0 && size !== 0 ? size : view(at, size)
    if (input.length > 0) exports.casemate_free(pointer, input.length)
    return answer
  }
  return { call }
}
