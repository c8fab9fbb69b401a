// Which evidence the bytes are. Parsing decides shape only: what comes out is UNVERIFIED.

import { parseSnpEvidence, type SnpEvidence } from './amd/evidence.ts'
import { ByteReader } from './bytes.ts'
import { parseIntelQuote, QUOTE_VERSIONS, type SgxQuote, type TdxQuote } from './intel/quote.ts'
import { Refusal } from './refusal.ts'
import type { SampleEvidence } from './sample/evidence.ts'

/** Evidence of any kind, UNVERIFIED. */
export type ParsedEvidence = SgxQuote | TdxQuote | SnpEvidence | SampleEvidence

/**
 * Parses binary evidence: an SGX quote (version 3), a TDX quote (4, 5) or a SEV-SNP report (2 to 5).
 * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
 */
export function parse(bytes: Uint8Array): ParsedEvidence {
  const reader = new ByteReader(bytes, 'evidence')
  // A quote begins with a version and a key type of two bytes each, a report with a version of four: in a report
  // the upper half is zero, and no attestation key type is.
  const [version, keyType] = [reader.u16('version'), reader.u16('version')]
  if (keyType === 0) return parseSnpEvidence(bytes)
  if (QUOTE_VERSIONS.some(it => it === version)) return parseIntelQuote(bytes)
  throw new Refusal('evidence-unsupported', `neither a quote nor a report begins with version ${version}`, {
    expected:
      'an SGX quote of version 3, a TDX quote of version 4 or 5, or a SEV-SNP report of version 2 to 5',
    got: `version ${version}`,
  })
}
