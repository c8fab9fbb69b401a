// The end of a lease: a workload is stopped or kept if its lease ends or is withdrawn. Decision 15 says why.

import type { AgentEvent } from './agent.ts'

/** A workload without a lease is stopped, unless it was chosen to keep it. */
export const LEASE_END_POLICIES = ['stop', 'keep'] as const

/** One of {@link LEASE_END_POLICIES}. */
export type LeaseEndPolicy = (typeof LEASE_END_POLICIES)[number]

/** How it was ended by us. */
export type LeaseEnd = 'lease-ended' | 'release-withdrawn'

/** Of what was stopped because its lease ended or was withdrawn: that of timeout(1). */
export const STOPPED_EXIT_CODE = 124

/** The end that was chosen, and the milliseconds between SIGTERM and SIGKILL, or for calls under way. */
export interface LeaseEndChoice {
  readonly onLeaseEnd: LeaseEndPolicy
  readonly graceMs: number
}

/** Why it is to be stopped; null if it goes on. */
export function leaseEndOf(event: AgentEvent, policy: LeaseEndPolicy): LeaseEnd | null {
  if (policy === 'keep') return null
  if (event.kind === 'lease-ended') return 'lease-ended'
  return event.kind === 'denied' ? 'release-withdrawn' : null
}
