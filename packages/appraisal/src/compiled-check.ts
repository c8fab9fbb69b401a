// An expectation of a policy, as an appraisal compares it.

import type { Claims } from '@casemate/evidence'
import type { Facet } from './trust-vector.ts'

/** One expectation, ready to be compared. */
export interface CompiledCheck {
  readonly path: string
  readonly expected: string
  readonly facet: Facet
  /** Trustworthiness claim when it is not met. */
  readonly breach: number
  read(claims: Claims): unknown
  met(claim: unknown): boolean
  hint(claim: unknown, claims: Claims): string
}
