// Messages between the platform's thread and that of an instance, beside their lane.
import type { EnclaveErrorCode } from '../errors.ts'
import type { UnsealOptions } from '../sealing/opening.ts'
import type { LaneBuffers } from './lane/memory.ts'

/** An instance is started with this. */
export interface InstanceData {
  readonly module: WebAssembly.Module
  readonly exports: readonly string[]
  readonly imports: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
  /** Those that the manifest declares. */
  readonly secrets: ReadonlyMap<string, Uint8Array>
  /** Only for code that declares that it seals. */
  readonly sealing: UnsealOptions | null
  /** Its own. */
  readonly lane: LaneBuffers
  /** There are processors enough for all instances and the platform. */
  readonly spins: boolean
}

export type InstanceMessage =
  /** There is something to attend to in the lane. */
  | { readonly type: 'doorbell' }
  | { readonly type: 'ready' }
  /** At the job at hand the instance failed: it is not to be used any more. */
  | { readonly type: 'fault'; readonly code: EnclaveErrorCode; readonly message: string }
