// The kinds of evidence in the KBS protocol: which names of reference values its first server’s default policies query for
// each, and which field of a workload each name is here. Guests name their TEE as the kind is named.

import type { Kind } from '@casemate/evidence'

export interface KbsKind {
  /** Name to field; in the order in which they are listed to whoever sends another. */
  readonly references: Readonly<Record<string, string>>
  /** Of these none says alone which code runs. */
  readonly together: readonly string[]
}

export const KBS_KINDS = {
  snp: { references: { snp_launch_measurement: 'measurement' }, together: [] },
  tdx: {
    references: { mr_td: 'mrTd', rtmr_0: 'rtmr0', rtmr_1: 'rtmr1', rtmr_2: 'rtmr2', rtmr_3: 'rtmr3' },
    // Firmware loads any kernel, and what a register holds is the word of the firmware.
    together: ['mr_td', 'rtmr_1', 'rtmr_2'],
  },
  sgx: { references: { mr_enclave: 'mrEnclave', mr_signer: 'mrSigner' }, together: [] },
  sample: {
    references: {
      svn: 'svn',
      launch_digest: 'launchDigest',
      major_version: 'majorVersion',
      minimum_minor_version: 'minMinorVersion',
    },
    together: [],
  },
} as const satisfies Record<Kind, KbsKind>
