// An instance must be given the sealed keys and the sealed list before it works.
import { type Enclave, EnclaveError } from '@casemate/enclave'

export type Preparation = (enclave: Enclave) => Promise<void>

/** Whether an instance is gone with all that it knew. */
export function endsInstance(error: unknown): boolean {
  return (
    error instanceof EnclaveError &&
    ['enclave-crashed', 'enclave-timeout', 'out-of-memory', 'enclave-lost', 'enclave-closed'].includes(
      error.code,
    )
  )
}
