// Why a TCB status is worse than the policy accepts: which security versions are short of the nearest level that would do.

import { type Claims, describeShortfalls, type TcbShortfall } from '@casemate/evidence'

/**
 * The versions that are short of a level of an accepted status, where there is one, and else of the nearest better one.
 * Quoting enclave and TDX module have no say in which status the platform has: they are named whatever is accepted.
 */
export function shortOfAccepted(claims: Claims, accepted: unknown): string {
  const all = shortfallsOf(claims)
  const platform = all.filter(({ part }) => part !== 'qe' && part !== 'tdx-module')
  const statuses: readonly unknown[] = Array.isArray(accepted) ? accepted : []
  const nearest = platform.find(({ status }) => statuses.includes(status)) ?? platform[0]
  const shown = all.filter(it => !platform.includes(it) || it.status === nearest?.status)
  if (shown.length > 0) return describeShortfalls(shown)
  return all === NONE
    ? ''
    : 'no security version is short of a better status: it is the newest level that has it'
}

const NONE: readonly TcbShortfall[] = []

/** Claims without the member are of an older form, or of no Intel platform. */
function shortfallsOf(claims: Claims): readonly TcbShortfall[] {
  const shortfalls: unknown = 'platform' in claims ? claims.platform?.tcbShortfalls : undefined
  return Array.isArray(shortfalls) && shortfalls.every(isShortfall) ? shortfalls : NONE
}

function isShortfall(value: unknown): value is TcbShortfall {
  if (typeof value !== 'object' || value === null) return false
  const { part, status, date } = value as Readonly<Record<string, unknown>>
  return [part, status, date].every(text => typeof text === 'string')
}
