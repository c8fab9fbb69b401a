// The kinds of evidence that a machine gives, and how each is simulated. Which driver gives it, the drivers say.
import type { BinaryKind } from '@casemate/evidence'
import type { SimulatedKind } from './simulated-kind.ts'
import { SIMULATED_SGX } from './simulated-kinds/sgx.ts'
import { SIMULATED_SNP } from './simulated-kinds/snp.ts'
import { SIMULATED_TDX } from './simulated-kinds/tdx.ts'

/** Of a simulated machine of which no kind is said. */
export const DEFAULT_KIND = 'tdx' satisfies BinaryKind

export const SIMULATED_KINDS = {
  tdx: SIMULATED_TDX,
  sgx: SIMULATED_SGX,
  snp: SIMULATED_SNP,
} as const satisfies Record<BinaryKind, SimulatedKind>
