// The one door: parsed evidence and endorsements in, claims out. Offline, with the clock passed in.

import { verifySnp } from './amd/verify.ts'
import type { TrustAnchor } from './anchor.ts'
import type { Claims } from './claims.ts'
import type { Endorsements } from './endorsements.ts'
import { verifyIntel } from './intel/verify.ts'
import type { ParsedEvidence } from './parse.ts'
import { sampleClaims } from './sample/evidence.ts'
import type { Step } from './step.ts'

export interface VerifyOptions {
  readonly now: Date
  /** `VENDOR_ANCHORS`, and a simulator's only where simulated evidence is to verify. */
  readonly anchors: readonly TrustAnchor[]
  /** The lowest tcbEvaluationDataNumber of Intel's endorsements that is still acceptable. */
  readonly minTcbEvaluationDataNumber: number | 'any'
}

export interface Verified {
  readonly claims: Claims
  /** What was checked, in order. */
  readonly steps: readonly Step[]
  /** The first end of all windows that the verdict depends on; it means nothing after. */
  readonly validUntil: Date
}

/** Nothing signs a sample, so nothing about it expires: the last moment that a Date can hold. */
const NEVER = 8_640_000_000_000_000

/**
 * Verifies who signed the evidence, down to a pinned root, and what the vendor says about the platform at `now`.
 * A TCB status is a claim, whatever it says: appraisal decides.
 * @throws {Refusal} any code of `REFUSALS`, with the steps that had passed
 * @throws {TypeError} where `now` is no time
 */
export async function verify(
  evidence: ParsedEvidence,
  endorsements: Endorsements,
  options: VerifyOptions,
): Promise<Verified> {
  if (Number.isNaN(options.now.getTime())) throw new TypeError('now is not a time')
  switch (evidence.kind) {
    case 'sgx':
    case 'tdx':
      return verifyIntel(evidence, endorsements, options)
    case 'snp':
      return verifySnp(evidence, endorsements, options)
    case 'sample':
      return {
        claims: sampleClaims(evidence),
        steps: [{ name: 'sample', looked: 'nothing: sample evidence is not signed' }],
        validUntil: new Date(NEVER),
      }
    default:
      return evidence satisfies never
  }
}
