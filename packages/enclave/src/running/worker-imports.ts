// The functions that a platform offers to code, by the names of their imports (ABI.md).
import { decodeUtf8 } from '../bytes.ts'
import { IMPORT_SIGNATURES, type ImportName, pack, STATUS } from './abi.ts'
import type { InstanceMemory } from './instance-memory.ts'

/** Of one line, in bytes. */
const MAX_LOG_BYTES = 4096
const MAX_SETTING_NAME = 64

export interface ImportSources {
  readonly memory: InstanceMemory
  readonly configuration: ReadonlyMap<string, string>
  readonly log: (text: string) => void
  /** Fills with random bytes. */
  readonly random: (bytes: Uint8Array<ArrayBuffer>) => void
}

/** Arguments are as WebAssembly gives them: i32 as signed numbers, results i64 as bigint. */
type Import = (...args: number[]) => bigint | undefined

/** One function for each import there is. */
export function offerImports(sources: ImportSources): Readonly<Record<ImportName, Import>> {
  const { memory } = sources
  const at = (pointer = 0, length = 0): Uint8Array<ArrayBuffer> =>
    memory.view({ pointer: pointer >>> 0, length: length >>> 0 })
  return {
    'casemate.log': (pointer, length) => {
      const text = new TextDecoder().decode(at(pointer, length).subarray(0, MAX_LOG_BYTES))
      sources.log(text)
      return undefined
    },
    'casemate.random': (pointer, length) => {
      sources.random(at(pointer, length))
      return undefined
    },
    'casemate.config': (pointer, length) => {
      const name = decodeUtf8(at(pointer, length).subarray(0, MAX_SETTING_NAME + 1))
      const value = name === null ? undefined : sources.configuration.get(name)
      if (value === undefined) return pack({ pointer: 0, length: STATUS.none })
      return pack(memory.put(new TextEncoder().encode(value)))
    },
  } satisfies Record<keyof typeof IMPORT_SIGNATURES, Import>
}
