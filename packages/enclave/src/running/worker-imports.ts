// The functions that a platform offers to code, by the names of their imports (ABI.md).
import { decodeUtf8 } from '@casemate/evidence/bytes'
import { viewOf } from '../bytes.ts'
import { EnclaveError } from '../errors.ts'
import { seal, unsealInto } from '../sealing/blob.ts'
import type { SealingPolicy } from '../sealing/identity.ts'
import type { UnsealOptions } from '../sealing/opening.ts'
import { POLICY_BITS } from '../sealing/root.ts'
import { IMPORT_SIGNATURES, type ImportName, pack, type Span, STATUS } from './abi.ts'
import type { InstanceMemory } from './instance-memory.ts'
import { MAX_LOG_BYTES } from './lane/frames.ts'

const MAX_SETTING_NAME = 64
const MAX_SECRET_PATH = 256

export interface ImportSources {
  readonly memory: InstanceMemory
  readonly configuration: ReadonlyMap<string, string>
  readonly secrets: ReadonlyMap<string, Uint8Array>
  /** A line of UTF-8, or what the code says is one. */
  readonly log: (line: Uint8Array) => void
  /** Fills with random bytes. */
  readonly random: (bytes: Uint8Array<ArrayBuffer>) => void
  readonly sealing: UnsealOptions | null
}

const POLICIES: readonly SealingPolicy[] = ['mrEnclave', 'mrSigner']

/** Arguments are as WebAssembly gives them: i32 as signed numbers, results i64 as bigint. */
type Import = (...args: number[]) => bigint | undefined

/** One function for each import there is. */
export function offerImports(sources: ImportSources): Readonly<Record<ImportName, Import>> {
  const { memory } = sources
  const at = (pointer = 0, length = 0): Uint8Array<ArrayBuffer> =>
    memory.view({ pointer: pointer >>> 0, length: length >>> 0 })
  return {
    'casemate.log': (pointer, length) => {
      sources.log(at(pointer, length).subarray(0, MAX_LOG_BYTES))
      return undefined
    },
    'casemate.random': (pointer, length) => {
      sources.random(at(pointer, length))
      return undefined
    },
    'casemate.config': (pointer, length) => {
      const name = decodeUtf8(at(pointer, length).subarray(0, MAX_SETTING_NAME + 1))
      const value = name === null ? undefined : sources.configuration.get(name)
      if (value === undefined) return status('none')
      return pack(memory.put(new TextEncoder().encode(value)))
    },
    'casemate.secret': (pointer, length) => {
      const path = decodeUtf8(at(pointer, length).subarray(0, MAX_SECRET_PATH + 1))
      const value = path === null ? undefined : sources.secrets.get(path)
      return value === undefined ? status('none') : pack(memory.put(value))
    },
    'casemate.seal': (...[pointer, length, labelPointer, labelLength, bits]) => {
      const additionalData = at(labelPointer, labelLength).slice()
      const policy = POLICIES.find(policy => POLICY_BITS[policy] === bits)
      if (policy === undefined) return status('invalid-parameter')
      const options = { ...sealingOf(sources), policy, additionalData }
      return answer(() => memory.put(seal(at(pointer, length), options)))
    },
    'casemate.unseal': (pointer, length) =>
      answer(() => unsealWithin(sources, { pointer: (pointer ?? 0) >>> 0, length: (length ?? 0) >>> 0 })),
  } satisfies Record<keyof typeof IMPORT_SIGNATURES, Import>
}

/** Size of the additional data, that data, the plaintext: decrypted to where it stays. */
function unsealWithin(sources: ImportSources, sealed: Span): Span {
  const { memory } = sources
  let answer: Span = { pointer: 0, length: 0 }
  try {
    unsealInto(memory.view(sealed), sealingOf(sources), ({ additionalData }, size) => {
      const start = 4 + additionalData.length
      answer = memory.makeRoom(start + size)
      const bytes = memory.view(answer)
      viewOf(bytes).setUint32(0, additionalData.length, true)
      bytes.set(additionalData, 4)
      return { sealed: memory.view(sealed), plaintext: bytes.subarray(start) }
    })
  } catch (error) {
    memory.release(answer)
    throw error
  }
  return answer
}

/** Bytes, or the status of why there are none. What has no status is a fault. */
function answer(make: () => Span): bigint {
  try {
    return pack(make())
  } catch (error) {
    if (error instanceof EnclaveError && isStatus(error.code)) return status(error.code)
    throw error
  }
}

/** Imports that seal are offered only if there is a root. */
function sealingOf({ sealing }: ImportSources): UnsealOptions {
  if (sealing === null) throw new TypeError('the platform has no sealing root')
  return sealing
}

function isStatus(code: string): code is keyof typeof STATUS {
  return Object.hasOwn(STATUS, code)
}

function status(name: keyof typeof STATUS): bigint {
  return pack({ pointer: 0, length: STATUS[name] })
}
