// The evidence of the Confidential Containers sample attester: two fields that nothing signs. It exists so that
// the protocol can be tried without a TEE, proves nothing, and its claims are always `simulated`.

import { toHex } from '../bytes.ts'
import { NO_COLLATERAL, type SampleClaims } from '../claims.ts'
import { JsonFields } from '../json-fields.ts'

export interface SampleEvidence {
  readonly kind: 'sample'
  readonly svn: string
  /** At most 64 bytes. */
  readonly reportData: Uint8Array
}

const REPORT_DATA_SIZE = 64
const MAX_SVN_TEXT = 16
/** What the reference verifier reports for every sample. */
const LAUNCH_DIGEST = 'abcde'
const PLATFORM_VERSION = { major: 1, minor: 4 } as const
/** The same digest as 48 bytes of hex. */
const SAMPLE_MEASUREMENT = '6162636465'.padEnd(96, '0')

/**
 * Reads `{ svn, report_data }`.
 * @throws {Refusal} `evidence-malformed`
 */
export function parseSampleEvidence(value: unknown): SampleEvidence {
  const json = new JsonFields(value, 'evidence')
  const svn = json.word('svn', MAX_SVN_TEXT)
  const reportData = json.base64('report_data', REPORT_DATA_SIZE)
  json.finish()
  return { kind: 'sample', svn, reportData }
}

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
