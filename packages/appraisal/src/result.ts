// What an appraisal says: the verdict, and everything that led to it, as plain data for a person to read.

import type { Kind } from '@casemate/evidence'
import type { CodeKnownBy } from './kinds/kind.ts'
import type { TrustStatus, TrustVector } from './trust-vector.ts'
import type { ClosestReference } from './workload-index.ts'

/** An expectation that was not met. */
export interface Violation {
  /** The field of the policy, e.g. `tcb.statuses`. */
  readonly path: string
  readonly expected: string
  readonly got: string
  /** What a person can do about it. */
  readonly hint: string
}

/** An expectation that was looked at, whatever came of it. */
export interface CheckedExpectation {
  readonly path: string
  readonly expected: string
  readonly got: string
  /**
   * `not-checked`: there is nothing to compare with, as the caller appraises outside of any session, or the policy
   * leaves open by name what another expectation rests on.
   */
  readonly outcome: 'met' | 'violated' | 'not-checked'
}

/** The result of an appraisal. */
export interface AppraisalResult {
  /** True exactly when there is no violation. */
  readonly accepted: boolean
  /** The worst tier of the vector. Accepted evidence has `warning` for what the policy tolerates by name. */
  readonly status: TrustStatus
  readonly trustVector: TrustVector
  readonly violations: readonly Violation[]
  readonly checks: readonly CheckedExpectation[]
  /** Fields of the policy that are 'any' for this kind of evidence. */
  readonly unchecked: readonly string[]
  /** The known workload that the evidence matched; null when none was asked for or none matched. */
  readonly workload: string | null
  /**
   * Of an accepted result, what was compared of which code runs; of a refused one it says nothing. Its measurement, or who signed it; of a TD the
   * firmware alone, where the policy names that and leaves open what it loads; or nothing.
   */
  readonly codeKnownBy: CodeKnownBy
  /** The nearest known workload when none matched. */
  readonly closestReference: ClosestReference | null
  readonly kind: Kind
  readonly policyId: string
  readonly policyVersion: number
  readonly simulated: boolean
  /** RFC 3339: when collateral gets older than the policy allows; null where that ends nothing. */
  readonly freshUntil: string | null
  /** Tied to a session as far as the policy asks; only such a result can become a token. */
  readonly bound: boolean
}
