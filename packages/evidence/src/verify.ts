// The one door: parsed evidence and endorsements in, claims out. Offline, with the clock passed in.

import type { Endorsements } from './endorsements.ts'
import type { VerifiedClaims, VerifyOptions } from './kind.ts'
import { type Claims, kindOf, type ParsedEvidence } from './kinds.ts'

/** What a verification says, and how it came to it. */
export type Verified = VerifiedClaims<Claims>

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
  return kindOf(evidence).verify(evidence, endorsements, options)
}
