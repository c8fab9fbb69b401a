// How old the vendor's papers may be. Verification has seen that none is past its next update; here it is whether each
// was issued as lately as the policy wants. What has no issue date, as it was not used, meets no limit.

import { type Claims, type CollateralClaims, EVIDENCE_KINDS, type Kind } from '@casemate/evidence'
import type { Finding } from './binding.ts'
import { showClaim } from './expectation.ts'
import { durationMs } from './leaf.ts'
import { type AppraisalPolicy, POLICY } from './policy-fields.ts'

const PATH = 'tcb.maxCollateralAge'
const FIELDS = POLICY.fields.tcb.fields.maxCollateralAge.fields

/** One kind of collateral, and the age that it may have. */
export interface CollateralLimit {
  readonly path: string
  readonly kind: keyof CollateralClaims
  /** As the policy writes it, e.g. `7d`. */
  readonly maxAge: string
}

export interface CollateralLimits {
  readonly limits: readonly CollateralLimit[]
  /** Paths that the policy leaves at 'any'. */
  readonly unchecked: readonly string[]
}

/** What a policy wants of the collateral of one kind of evidence. */
export function collateralLimits({ tcb }: AppraisalPolicy, kind: Kind): CollateralLimits {
  const all = EVIDENCE_KINDS[kind].collateral.map(name => ({
    path: `${PATH}.${name}`,
    kind: name,
    maxAge: tcb.maxCollateralAge[name],
  }))
  return {
    limits: all.filter(({ maxAge }) => maxAge !== 'any'),
    unchecked: all.filter(({ maxAge }) => maxAge === 'any').map(({ path }) => path),
  }
}

/** The limits of a policy in milliseconds, for whoever fetches: what is older is worth asking for anew. */
export function collateralMaxAges({ tcb }: AppraisalPolicy): {
  readonly [K in keyof CollateralClaims]?: number
} {
  const ages = Object.entries(tcb.maxCollateralAge).filter(([, age]) => age !== 'any')
  return Object.fromEntries(ages.map(([kind, age]) => [kind, durationMs(age)]))
}

/** Whether newer collateral could make the difference at `now`. */
export function isCollateralTooOld(policy: AppraisalPolicy, claims: Claims, now: Date): boolean {
  const { limits } = collateralLimits(policy, claims.kind)
  return collateralFindings(limits, claims, now).some(({ outcome }) => outcome === 'violated')
}

/** Every limit against the issue dates at `now`. */
export function collateralFindings(
  limits: readonly CollateralLimit[],
  claims: Claims,
  now: Date,
): readonly Finding[] {
  return limits.map(({ path, kind, maxAge }) => {
    const issued = issueTime(claims, kind)
    const { leaf } = FIELDS[kind]
    const isMet = leaf.comparison(maxAge)(issued === null ? null : now.getTime() - issued)
    return {
      path,
      expected: `issued ${maxAge} ago at most, as of ${now.toISOString()}`,
      got: showClaim(claims.collateral?.[kind]),
      outcome: isMet ? 'met' : 'violated',
      hint:
        issued === null
          ? 'none was used; supply what the vendor publishes'
          : 'the vendor has issued newer since, or will: fetch it anew, and refresh the cache that it came from',
    }
  })
}

/** RFC 3339: when the first collateral will be older than its limit; null where nothing is limited. */
export function collateralUntil(limits: readonly CollateralLimit[], claims: Claims): string | null {
  const ends = limits.map(({ kind, maxAge }) => (issueTime(claims, kind) ?? 0) + durationMs(maxAge))
  return ends.length === 0 ? null : new Date(Math.min(...ends)).toISOString()
}

function issueTime({ collateral }: Claims, kind: keyof CollateralClaims): number | null {
  const issued: unknown = collateral?.[kind]
  const time = typeof issued === 'string' ? Date.parse(issued) : Number.NaN
  return Number.isNaN(time) ? null : time
}
