// The time for which secrets may be used: as long as the attestation result lives, counted from the moment at which the
// handshake began. The span is the broker's (exp less iat), so that its clock and ours need not agree. It is over by
// whichever of our clocks says so first: a wall clock that is set back, or a machine that slept, prolongs nothing.

import type { TokenClaims } from '@casemate/client'
import type { Moment } from './clock.ts'

/** For how long, and since when. */
export interface Lease {
  readonly begunAt: Moment
  readonly lengthMs: number
}

/** The lease that an attestation gives; of no length where the token does not say how long it lives. */
export function leaseOf({ exp, iat }: TokenClaims, begunAt: Moment): Lease {
  const seconds = exp !== undefined && iat !== undefined ? exp - iat : 0
  return { begunAt, lengthMs: Math.max(0, seconds * 1000) }
}

/** Milliseconds that are left; 0 or less if it is over. */
export function remainingMs({ begunAt, lengthMs }: Lease, now: Moment): number {
  const passed = Math.max(now.wallMs - begunAt.wallMs, now.monotonicMs - begunAt.monotonicMs)
  return lengthMs - passed
}

/** With this share of the lease left it is renewed: two more attempts fit in, and nobody attests all the time. */
const RENEWAL_SHARE = 1 / 3

/** Up to this much earlier, so that a thousand workloads started together do not come back together. */
const JITTER_SHARE = 1 / 6

/** The milliseconds left at which a lease is to be renewed. `random` is from 0 to 1. */
export function renewalPointMs({ lengthMs }: Pick<Lease, 'lengthMs'>, random: number): number {
  return lengthMs * (RENEWAL_SHARE + JITTER_SHARE * random)
}

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000
const SHORTEST_PAUSE_MS = 100

/** What an attempt that failed is judged by. */
export interface Attempts {
  /** From 1. */
  readonly failures: number
  readonly lengthMs: number
  /** What the broker asked for, or null. */
  readonly retryAfterMs: number | null
}

/** The pause before the next attempt: doubled each time, at most a tenth of the lease, half of it by chance. */
export function pauseMs({ failures, lengthMs, retryAfterMs }: Attempts, random: number): number {
  const longest = Math.max(SHORTEST_PAUSE_MS, Math.min(LONGEST_PAUSE_MS, lengthMs / 10))
  const doubled = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 16), longest)
  const spread = doubled * (0.5 + random / 2)
  return retryAfterMs === null ? spread : Math.min(Math.max(spread, retryAfterMs), LONGEST_PAUSE_MS)
}
