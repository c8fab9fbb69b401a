// A driver as the attester of the KBS protocol: the JSON of its kind of evidence, and the statement of the enclave that
// runs here as `additional_evidence`, which the protocol hashes into the report data.
import type { Attester } from '@casemate/client'
import { encodeKbsEvidence } from '@casemate/evidence'
import type { AttestationDriver, Quote } from './driver.ts'
import { type EnclaveStatement, encodeStatement } from './statement.ts'

/** For `attest` of @casemate/client. The statement is null if no enclave image runs. */
export function kbsAttester(driver: AttestationDriver, statement: EnclaveStatement | null): Attester {
  return {
    tee: driver.kind,
    evidence: async reportData => kbsEvidence(await driver.quote(reportData)),
    ...(statement === null ? {} : { additionalEvidence: encodeStatement(statement) }),
  }
}

/** `primary_evidence` of a quote. @throws {Refusal} evidence-malformed, evidence-unsupported */
export function kbsEvidence({ kind, evidence, certificateTable }: Quote): unknown {
  return encodeKbsEvidence(kind, evidence, certificateTable)
}
