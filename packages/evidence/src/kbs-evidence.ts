// Evidence as Confidential Containers guests send it to a key broker: one JSON value for each kind of attester.

import { EVIDENCE_KINDS, type Kind, type ParsedEvidence } from './kinds.ts'

/**
 * Parses `primary_evidence` of the given TEE.
 * @throws {Refusal} `evidence-malformed`, also where the quote inside is of another kind; `evidence-unsupported`
 */
export function parseKbsEvidence(tee: Kind, primaryEvidence: unknown): ParsedEvidence {
  return EVIDENCE_KINDS[tee].parseKbs(primaryEvidence)
}

/**
 * The inverse: binary evidence of a kind, with the certificate table that the host offers beside it. Of `sample`, which has no
 * bytes of its own, the report data.
 * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
 */
export function encodeKbsEvidence(
  tee: Kind,
  evidence: Uint8Array,
  certificateTable: Uint8Array | null,
): unknown {
  return EVIDENCE_KINDS[tee].encodeKbs(evidence, certificateTable)
}
