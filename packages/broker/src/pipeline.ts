// What /v1 needs of attestation and release: explain evidence without storing anything, check and try a rule.
// src/attestation and src/release implement these; the interfaces stand apart so that neither side waits for the other.

import type { EndorsementSource } from '@casemate/evidence'
import type { JsonObject } from './json.ts'

export interface ExplainRequest {
  /** Anything that `recognise` of @casemate/evidence reads. */
  readonly evidence: Uint8Array
  /** The time to verify at. */
  readonly at: Date
  /** Beside those that the broker has: collateral of the evidence's time, or of a machine that it never saw. */
  readonly endorsements: readonly EndorsementSource[]
  /** The name of a stored appraisal policy, or a document that is not stored. */
  readonly policy: string | JsonObject
}

/** `createPipeline(context)` of src/attestation/pipeline.ts makes one. */
export interface Pipeline {
  /**
   * Evidence in, explanation out (what it is, steps, claims, appraisal result or refusal); refused evidence is an
   * answer, not an error. @throws {BrokerError} `policy-missing`, `policy-invalid`, `endorsement-malformed`
   */
  explain(request: ExplainRequest): Promise<JsonObject>
}

/** A release rule as /v1 stores it (document kind `rule`). */
export interface ReleaseRule extends JsonObject {
  /** Pattern of `repository/type/tag`; `*` stands for one whole segment. */
  readonly secrets: string
  /** CEL over `claims`, `result`, `secret` and `now`; must be a boolean. */
  readonly expression: string
  /** For auditors, when the expression is false. */
  readonly message: string
  readonly enabled: boolean
}

/** `createReleaseRules(context)` of src/release/rules.ts makes one. */
export interface ReleaseRules {
  /** Parses and typechecks. @throws {BrokerError} `rule-invalid` with what the checker said */
  check(rule: ReleaseRule): void
  /** What the newest `limit` accepted attestations would now get from this rule. */
  dryRun(rule: ReleaseRule, limit: number): Promise<JsonObject>
}
