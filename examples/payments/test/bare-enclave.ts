// The enclave's code without a platform around it, for measuring what it finds: what is "sealed" here is in the form that
// `casemate.unseal` answers with. No key, no thread, no attestation; for nothing but measuring and tests.
import { randomFillSync } from 'node:crypto'
import { parseImage } from '@casemate/enclave'
import { buildOptions, type Rules } from '../configuration.ts'

/** Bytes, or the status that the code answered with. */
export type BareAnswer = Uint8Array<ArrayBuffer> | number

export interface BareEnclave {
  /** @throws {WebAssembly.RuntimeError} if the code traps */
  readonly call: (name: string, input?: Uint8Array) => BareAnswer
}

interface Exports {
  readonly memory: WebAssembly.Memory
  readonly casemate_alloc: (length: number) => number
  readonly casemate_free: (pointer: number, length: number) => void
  readonly _initialize: () => void
}

/** Each call of what it gives is a fresh instance of the image's code, with other rules where they are given. */
export async function bareEnclaves(image: Uint8Array, rules: Rules): Promise<(rules?: Rules) => BareEnclave> {
  const { code } = parseImage(image)
  const module = await WebAssembly.compile(new Uint8Array(code))
  return (changed = rules) => instantiate(module, buildOptions(changed).configuration ?? {})
}

/** As `casemate.unseal` gives it: size of the label, label, content. */
export function labelled(label: string, content: Uint8Array): Uint8Array {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(label.length)
  return new Uint8Array(Buffer.concat([size, Buffer.from(label), content]))
}

function instantiate(
  module: WebAssembly.Module,
  configuration: Readonly<Record<string, string>>,
): BareEnclave {
  let exports: Exports | null = null
  const own = (): Exports => {
    if (exports === null) throw new TypeError('the code was not instantiated yet')
    return exports
  }
  const view = (pointer: number, length: number) =>
    new Uint8Array(own().memory.buffer, pointer >>> 0, length >>> 0)
  const put = (bytes: Uint8Array): number => {
    if (bytes.length === 0) return 0
    const pointer = own().casemate_alloc(bytes.length) >>> 0
    view(pointer, bytes.length).set(bytes)
    return pointer
  }
  const pack = (bytes: Uint8Array): bigint => (BigInt(put(bytes)) << 32n) | BigInt(bytes.length)
  const casemate = {
    log: () => undefined,
    random: (pointer: number, length: number) => void randomFillSync(view(pointer, length)),
    config: (pointer: number, length: number) => {
      const value = configuration[Buffer.from(view(pointer, length)).toString()]
      return value === undefined ? 1n : pack(Buffer.from(value))
    },
    seal: (pointer: number, length: number, label: number, size: number) =>
      pack(labelled(Buffer.from(view(label, size)).toString('latin1'), view(pointer, length))),
    unseal: (pointer: number, length: number) => pack(view(pointer, length).slice()),
  }
  const instance = new WebAssembly.Instance(module, { casemate })
  exports = instance.exports as unknown as Exports
  exports._initialize()
  return {
    call: (name, input = new Uint8Array()) => {
      const pointer = put(input)
      const call = instance.exports[name] as (pointer: number, length: number) => bigint
      const packed = BigInt.asUintN(64, call(pointer, input.length))
      const [at, length] = [Number(packed >> 32n), Number(packed & 0xffff_ffffn)]
      if (at === 0 && length !== 0) return length
      const answer = view(at, length).slice()
      own().casemate_free(at, length)
      if (input.length > 0) own().casemate_free(pointer, input.length)
      return answer
    },
  }
}
