// An example's service runs beside its enclave, in the enclave's server: untrusted code that hands it sealed input, and
// decides which calls clients may make. The module that `openStage` names exports `openService` of this type.
import type { CallTarget } from '@casemate/channel'
import type { Enclave, EnclaveEvent } from '@casemate/enclave'

export interface ServiceContext {
  /** The stage’s folder. */
  readonly directory: string
  /** Calls back when an instance that failed was replaced: its memory is new, and what was loaded is gone. */
  readonly onReplaced: (listener: () => void) => void
  /** Another enclave of the same image and keys, with instances of its own; whoever opens it closes it. */
  readonly openEnclave: (onEvent: (event: EnclaveEvent) => void) => Promise<Enclave>
}

export interface Service {
  /** Clients call this. */
  readonly target: CallTarget
  /** Where the ciphertexts of sealed calls arrive, 0 for any free port. Default: there are no sealed calls. */
  readonly dataPort?: number
  readonly close: () => Promise<void>
}

export type OpenService = (enclave: Enclave, context: ServiceContext) => Promise<Service>
