// A driver as the attester of the KBS protocol: the JSON of its kind of evidence, and the statement of the enclave that
// runs here as `additional_evidence`, which the protocol hashes into the report data.
import type { Attester } from '@casemate/client'
import {
  parseCertTable,
  type SnpCertificate,
  sgxKbsEvidence,
  snpKbsEvidence,
  tdxKbsEvidence,
} from '@casemate/evidence'
import type { AttestationDriver, Quote } from './driver.ts'
import { type EnclaveStatement, encodeStatement } from './statement.ts'

/** For `attest` of @casemate/client. The statement is null where no enclave image runs. */
export function kbsAttester(driver: AttestationDriver, statement: EnclaveStatement | null): Attester {
  return {
    tee: driver.kind,
    evidence: async reportData => kbsEvidence(await driver.quote(reportData)),
    ...(statement === null ? {} : { additionalEvidence: encodeStatement(statement) }),
  }
}

/** `primary_evidence` of a quote. @throws {Refusal} evidence-malformed, evidence-unsupported */
export function kbsEvidence(quote: Quote): unknown {
  switch (quote.kind) {
    case 'sgx':
      return sgxKbsEvidence(quote.evidence)
    case 'tdx':
      return tdxKbsEvidence(quote.evidence)
    case 'snp':
      return snpKbsEvidence(quote.evidence, leafOf(quote.certificateTable))
    default:
      return quote.kind satisfies never
  }
}

/** The verifier pins the roots itself and has what stands below them; the leaf is what it would have to ask AMD for. */
function leafOf(table: Uint8Array | null): readonly SnpCertificate[] {
  if (table === null || table.length === 0) return []
  return parseCertTable(table).filter(({ type }) => type === 'VCEK' || type === 'VLEK')
}
