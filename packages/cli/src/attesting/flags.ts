// The flags of every command that attests.

import { DEMO_CODE } from '@casemate/enclave/simulator-files'
import type { Flag } from '../command.ts'

/** Which machine attests, and as what. */
export const ATTESTER_FLAGS = {
  kind: { value: 'KIND', summary: 'tdx (default), sgx, snp or sample' },
  code: { value: 'NAME', summary: `pretend to run other code (default ${DEMO_CODE}, which the tour knows)` },
  simulator: { value: 'DIR', summary: 'the simulated platform (default .casemate/simulator)' },
  platform: {
    value: 'WHERE',
    summary: 'hardware, simulated, or auto (default): hardware where there is any',
  },
} as const satisfies Record<string, Flag>
