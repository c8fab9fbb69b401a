// Calls of clients reach this.
import type { CallOptions } from '@casemate/enclave'

/** Answers calls: an `Enclave`, or something around one. */
export interface CallTarget {
  readonly call: (name: string, input: Uint8Array, options: CallOptions) => Promise<Uint8Array>
  readonly callBatch: (
    name: string,
    inputs: readonly Uint8Array[],
    options?: CallOptions,
  ) => Promise<readonly Uint8Array[]>
}
