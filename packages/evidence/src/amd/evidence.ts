// SEV-SNP evidence: a report and the certificates that came with it, both UNVERIFIED.

import { Refusal } from '../refusal.ts'
import { parseCertTable, type SnpCertificate } from './cert-table.ts'
import { parseSnpReport, SNP_REPORT_SIZE, type SnpReport } from './report.ts'

/** What {@link verifySnp} takes; everything in it is unverified. */
export interface SnpEvidence {
  readonly kind: 'snp'
  readonly report: SnpReport
  /** As the host or the guest sent them along; may be empty. */
  readonly certificates: readonly SnpCertificate[]
}

/** Four pages of certificate table are what hosts use; 64 KiB leaves room for large extra entries. */
export const MAX_CERT_TABLE_SIZE = 64 * 1024

/**
 * A report of 1,184 bytes, alone or followed by a certificate table.
 * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
 */
export function parseSnpEvidence(bytes: Uint8Array): SnpEvidence {
  const table = bytes.subarray(SNP_REPORT_SIZE)
  if (table.length > MAX_CERT_TABLE_SIZE) {
    throw new Refusal('evidence-malformed', 'the certificate table is too large', {
      expected: `at most ${MAX_CERT_TABLE_SIZE} bytes`,
      got: `${table.length}`,
    })
  }
  const report = parseSnpReport(bytes.subarray(0, SNP_REPORT_SIZE))
  return { kind: 'snp', report, certificates: table.length === 0 ? [] : parseCertTable(table) }
}
