// Which evidence the bytes are. Parsing decides shape only: what comes out is UNVERIFIED.

import { ByteReader } from './bytes.ts'
import { BINARY_FORMATS, type BinaryKind, type EvidenceOf } from './kinds.ts'
import { Refusal } from './refusal.ts'

/**
 * Parses binary evidence: an SGX quote (version 3), a TDX quote (4, 5) or a SEV-SNP report (2 to 5).
 * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
 */
export function parse(bytes: Uint8Array): EvidenceOf<BinaryKind> {
  const reader = new ByteReader(bytes, 'evidence')
  const version = reader.u16('version')
  reader.u16('version')
  const format = BINARY_FORMATS.find(({ begins }) => begins(bytes))
  if (format !== undefined) return format.parse(bytes)
  throw new Refusal('evidence-unsupported', `neither a quote nor a report begins with version ${version}`, {
    expected: BINARY_FORMATS.map(({ versions }) => versions).join(', or '),
    got: `version ${version}`,
  })
}
