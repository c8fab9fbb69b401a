// The work whose layers are measured, in its two forms: an enclave's image, and the very same code called directly in
// this thread. It is built from source and signed with a key of the moment: what is measured is what anyone can read.

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import {
  buildEnclave,
  identityOf,
  openBrokerRoot,
  parseImage,
  type SealingRoot,
  seal,
  signImage,
  unseal,
  verifyImage,
} from '@casemate/enclave'

const SOURCE = fileURLToPath(new URL('../../assembly/layers/layers.ts', import.meta.url))
/** Four inputs of the largest size, and what the code needs beside them. */
const MEMORY_PAGES = 256
const NO_DATA = new Uint8Array()

/** Functions of the code, see its source. */
export const WORK = { plain: 'digest', sealed: 'digestSealed' } as const

export interface Workload {
  /** Signed. */
  readonly image: Uint8Array
  /** For the enclave's platform: a data key made for this run alone. */
  readonly root: SealingRoot
  /** As its owner would seal it for the enclave. */
  readonly seal: (record: Uint8Array) => Uint8Array
  readonly unseal: (blob: Uint8Array) => Uint8Array
  /** Two copies and a call of WebAssembly, in this thread. */
  readonly callDirectly: (input: Uint8Array) => Uint8Array
}

/** Takes a second: a compiler runs. @throws {EnclaveError} as buildEnclave */
export async function makeWorkload(now: Date): Promise<Workload> {
  const unsigned = await buildEnclave({ entry: SOURCE, memoryPages: MEMORY_PAGES })
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 })
  const date = now.toISOString().slice(0, 10).replaceAll('-', '')
  const image = signImage(unsigned, { privateKey, date })
  const parsed = parseImage(image)
  const identity = identityOf(parsed, verifyImage(parsed))
  const root = openBrokerRoot({ path: 'a key of this run', key: randomBytes(32) })
  return {
    image,
    root,
    seal: record => seal(record, { root, identity, policy: 'mrEnclave', additionalData: NO_DATA }),
    unseal: blob => unseal(blob, { root, identity }).plaintext,
    callDirectly: await instantiate(parsed.code),
  }
}

interface Exports {
  readonly _initialize?: () => void
  readonly memory: WebAssembly.Memory
  readonly casemate_alloc: (length: number) => number
  readonly casemate_free: (pointer: number, length: number) => void
  readonly digest: (pointer: number, length: number) => bigint
}

/** As ABI.md has it, without anything around it. */
async function instantiate(code: Uint8Array<ArrayBuffer>): Promise<Workload['callDirectly']> {
  const refuse = (): never => {
    throw new TypeError('the plain call opens nothing')
  }
  const module = await WebAssembly.compile(code)
  const { exports } = new WebAssembly.Instance(module, { casemate: { unseal: refuse } })
  const { memory, casemate_alloc, casemate_free, digest, _initialize } = exports as unknown as Exports
  _initialize?.()
  return input => {
    const pointer = casemate_alloc(input.length)
    new Uint8Array(memory.buffer, pointer, input.length).set(input)
    const packed = digest(pointer, input.length)
    const at = Number(packed >> 32n)
    const output = new Uint8Array(memory.buffer).slice(at, at + Number(packed & 0xffff_ffffn))
    casemate_free(pointer, input.length)
    return output
  }
}
