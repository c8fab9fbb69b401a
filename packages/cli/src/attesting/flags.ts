// The flags of every command that attests.

import { DEMO_CODE } from '@casemate/enclave/simulator-files'
import type { Flag } from '../command.ts'
import { kindsToChoose, SIMULATED_KINDS } from '../kinds/kinds.ts'

/** Which machine attests, and as what. */
export const ATTESTER_FLAGS = {
  kind: { value: 'KIND', takes: SIMULATED_KINDS, summary: kindsToChoose(SIMULATED_KINDS) },
  code: { value: 'NAME', summary: `pretend to run other code (default ${DEMO_CODE}, which the tour knows)` },
  simulator: { value: 'DIR', summary: 'the simulated platform (default .casemate/simulator)' },
  platform: {
    value: 'WHERE',
    takes: ['auto', 'hardware', 'simulated'],
    summary: 'hardware, simulated, or auto (default): hardware where there is any',
  },
} as const satisfies Record<string, Flag>
