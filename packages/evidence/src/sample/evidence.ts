// The evidence of the Confidential Containers sample attester: two fields that nothing signs. It exists so that
// the protocol can be tried without a TEE, proves nothing, and its claims are always `simulated`.

import { toBase64 } from '../bytes.ts'
import { StrictFields } from '../strict-fields.ts'

export interface SampleEvidence {
  readonly kind: 'sample'
  readonly svn: string
  /** At most 64 bytes. */
  readonly reportData: Uint8Array
}

export const REPORT_DATA_SIZE = 64
const MAX_SVN_TEXT = 16
/**
 * Reads `{ svn, report_data }`.
 * @throws {Refusal} `evidence-malformed`
 */
export function parseSampleEvidence(value: unknown): SampleEvidence {
  const json = new StrictFields(value, 'evidence')
  const svn = json.word('svn', MAX_SVN_TEXT)
  const reportData = json.base64('report_data', REPORT_DATA_SIZE)
  json.finish()
  return { kind: 'sample', svn, reportData }
}

/** What `primary_evidence` holds for `sample`, which nothing signs. */
export interface SampleKbsEvidence {
  readonly svn: string
  /** Base64. */
  readonly report_data: string
}

/** The evidence of a guest with no TEE at all. */
export function sampleKbsEvidence(reportData: Uint8Array): SampleKbsEvidence {
  return { svn: '1', report_data: toBase64(reportData) }
}
