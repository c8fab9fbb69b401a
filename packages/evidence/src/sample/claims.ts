// What the evidence of a sample attester says, which nothing signs, and the types of that for rules.

import { toHex } from '../bytes.ts'
import { type CommonClaims, NO_COLLATERAL } from '../claims.ts'
import type { OwnFieldsOf } from '../field-types.ts'
import { REPORT_DATA_SIZE, type SampleEvidence } from './evidence.ts'

/** The unsigned claims of the Confidential Containers sample attester. */
export interface SampleClaims extends CommonClaims {
  readonly kind: 'sample'
  readonly simulated: true
  readonly sample: {
    readonly svn: string
    /** What the sample verifier of Confidential Containers says of every sample, and policies made for it compare. */
    readonly launchDigest: string
    readonly platformVersion: { readonly major: number; readonly minor: number }
  }
}

export const SAMPLE_FIELDS = {
  sample: { svn: 'string', launchDigest: 'string', platformVersion: { major: 'int', minor: 'int' } },
} as const satisfies OwnFieldsOf<SampleClaims>

/** What the reference verifier reports for every sample. */
const LAUNCH_DIGEST = 'abcde'
const PLATFORM_VERSION = { major: 1, minor: 4 } as const
/** The same digest as 48 bytes of hex. */
const SAMPLE_MEASUREMENT = '6162636465'.padEnd(96, '0')

/** The claims of a sample: unsigned, and marked so. */
export function sampleClaims(evidence: SampleEvidence): SampleClaims {
  return {
    kind: 'sample',
    measurement: SAMPLE_MEASUREMENT,
    signer: null,
    debug: false,
    tcbStatus: null,
    tcbDate: null,
    advisoryIds: [],
    tcbEvaluationDataNumber: null,
    collateral: NO_COLLATERAL,
    reportData: toHex(evidence.reportData).padEnd(2 * REPORT_DATA_SIZE, '0'),
    hardwareId: null,
    hostData: '00'.repeat(32),
    simulated: true,
    enclave: null,
    sample: { svn: evidence.svn, launchDigest: LAUNCH_DIGEST, platformVersion: PLATFORM_VERSION },
  }
}
