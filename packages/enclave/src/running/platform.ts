// The platform that an enclave runs on: its sealing root, its secrets, where its words go and what is reported about it.
import type { EnclaveErrorCode } from '../errors.ts'
import type { SealingRoot } from '../sealing/root.ts'
import { IMPORT_SIGNATURES, type ImportName, SEALING_IMPORTS } from './abi.ts'

/** Events of an instance; the process always goes on. */
export type EnclaveEvent =
  | {
      readonly type: 'instance-failed'
      readonly instance: number
      readonly code: EnclaveErrorCode
      readonly message: string
    }
  | { readonly type: 'instance-replaced'; readonly instance: number }
  /** None could be started in its place, which stays empty. */
  | {
      readonly type: 'instance-lost'
      readonly instance: number
      readonly code: EnclaveErrorCode
      readonly message: string
    }
  | { readonly type: 'enclave-lost'; readonly code: EnclaveErrorCode; readonly message: string }

export interface LogLine {
  readonly instance: number
  /** Written by the code: not trusted, may hold anything, at most 4 KiB. */
  readonly text: string
}

export interface EnclavePlatform {
  /** Null if enclaves cannot seal; then none that wants to is started. */
  readonly sealing: SealingRoot | null
  /** By path; must hold what the manifest declares, of which the code gets no more. Kept in memory only. */
  readonly secrets: ReadonlyMap<string, Uint8Array>
  /** Receives `casemate.log`. Nothing else leaves an enclave on its own. */
  readonly log: (line: LogLine) => void
  readonly report: (event: EnclaveEvent) => void
}

/** The imports that code may have on this platform. */
export function offeredImports({ sealing }: Pick<EnclavePlatform, 'sealing'>): ReadonlySet<ImportName> {
  const all = Object.keys(IMPORT_SIGNATURES) as ImportName[]
  return new Set(all.filter(name => sealing !== null || !SEALING_IMPORTS.includes(name)))
}
