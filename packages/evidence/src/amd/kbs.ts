// The inverse of kbs-evidence.ts: evidence as Confidential Containers guests send it to a key broker, which is the JSON
// of each attester of guest-components (attestation-agent/attester: sgx_dcap, tdx, snp, sample).

import { MAX_SNP_CERTIFICATES, type SnpCertificate } from './cert-table.ts'
import { parseSnpReport } from './report.ts'
import { decodeReport } from './report-json.ts'
import { toBase64 } from '../bytes.ts'

/** What `primary_evidence` holds for `sgx`. */
export interface SgxKbsEvidence {
  /** Base64. */
  readonly quote: string
}

/** What `primary_evidence` holds for `tdx`. */
export interface TdxKbsEvidence {
  /** No event log: what it says has to be derived from the quote's registers anyway. */
  readonly cc_eventlog: null
  /** Base64. */
  readonly quote: string
}

/** What `primary_evidence` holds for `sample`, which nothing signs. */
export interface SampleKbsEvidence {
  readonly svn: string
  /** Base64. */
  readonly report_data: string
}

/** What `primary_evidence` holds for `snp`; bytes are arrays of numbers. */
export interface SnpKbsEvidence {
  readonly attestation_report: Readonly<Record<string, unknown>>
  readonly cert_chain: readonly { readonly cert_type: string; readonly data: readonly number[] }[] | null
}

export function sgxKbsEvidence(quote: Uint8Array): SgxKbsEvidence {
  return { quote: toBase64(quote) }
}

export function tdxKbsEvidence(quote: Uint8Array): TdxKbsEvidence {
  return { cc_eventlog: null, quote: toBase64(quote) }
}

/** The evidence of a guest with no TEE at all. */
export function sampleKbsEvidence(reportData: Uint8Array): SampleKbsEvidence {
  return { svn: '1', report_data: toBase64(reportData) }
}

/**
 * A report of 1,184 bytes, decoded, with the certificates that came with it: the leaf spares the verifier a request.
 * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
 */
export function snpKbsEvidence(
  report: Uint8Array,
  certificates: readonly SnpCertificate[] = [],
): SnpKbsEvidence {
  const chain = certificates
    .slice(0, MAX_SNP_CERTIFICATES)
    .map(({ type, bytes }) => ({ cert_type: type, data: [...bytes] }))
  return {
    attestation_report: decodeReport(parseSnpReport(report)),
    cert_chain: chain.length === 0 ? null : chain,
  }
}
