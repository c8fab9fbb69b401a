// One kind of evidence of a simulated machine: the contract of a row of kinds.ts.
import { createHash } from 'node:crypto'
import type { Quote } from './driver.ts'
import type { SimulatedPlatform } from './simulated-platform.ts'
import type { SimulatedRegister } from './simulated-register.ts'
import type { EnclaveStatement } from './statement.ts'

/** The code that the machine pretends to run. */
export interface Pretended {
  readonly code: string
  readonly enclave: EnclaveStatement | null
  readonly register: SimulatedRegister
}

export type Signer = (
  reportData: Uint8Array,
) => Pick<Quote, 'evidence'> & Partial<Pick<Quote, 'certificateTable'>>

export interface SimulatedKind {
  readonly signer: (platform: SimulatedPlatform, pretended: Pretended) => Signer
  /** Whether the machine has a register that shows the enclave. */
  readonly hasRegister: boolean
}

/** Of a part of the code with this name. */
export function measure(algorithm: 'sha256' | 'sha384', code: string, part: string): Uint8Array {
  return new Uint8Array(createHash(algorithm).update(`${code} ${part}`).digest())
}
