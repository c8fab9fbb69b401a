// The CBOR tag of each kind of evidence that a certificate can carry.
import type { Quote } from '@casemate/enclave'

/** An SGX or TDX quote (IANA). */
const TEE_QUOTE = 60_000
/** A SEV-SNP report; unregistered, what rats-tls and librats use. A certificate table may follow the report. */
const SNP_REPORT = 0x1a_75_04

export const EVIDENCE_TAGS = {
  sgx: TEE_QUOTE,
  tdx: TEE_QUOTE,
  snp: SNP_REPORT,
} as const satisfies Record<Quote['kind'], number>
