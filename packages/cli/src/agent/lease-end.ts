// What becomes of whatever was given secrets when its lease ends or is withdrawn. Decision 15 says why.

import type { Call, Flag } from '../command.ts'
import { readNumber, readWord } from '../flag-values.ts'
import type { AgentEvent } from './agent.ts'

/** What becomes of it without a lease. */
const LEASE_END_POLICIES = ['stop', 'keep'] as const

export type LeaseEndPolicy = (typeof LEASE_END_POLICIES)[number]

/** How it was ended by us. */
export type LeaseEnd = 'lease-ended' | 'release-withdrawn'

/** Of what was stopped because its lease ended or was withdrawn: that of timeout(1). */
export const STOPPED_EXIT_CODE = 124

/** Seconds that a service has to end in order, as systemd and Kubernetes have them in this size. */
const GRACE_S = 10
const MAX_GRACE_S = 3600

/** The flags of the commands that live on a lease; what each of them ends is its own to say. */
export function leaseFlags(what: string, grace: string) {
  return {
    'on-lease-end': {
      value: 'WHAT',
      summary: `stop (default) or keep ${what} when its lease ends or is withdrawn`,
    },
    grace: { value: 'SECONDS', summary: `${grace} (default ${GRACE_S})` },
  } as const satisfies Record<string, Flag>
}

export interface LeaseEndChoice {
  readonly onLeaseEnd: LeaseEndPolicy
  readonly graceMs: number
}

/** @throws {CliError} flag-value-invalid */
export function readLeaseFlags(call: Call): LeaseEndChoice {
  return {
    onLeaseEnd: readWord('on-lease-end', call.option('on-lease-end'), LEASE_END_POLICIES),
    graceMs: readNumber('grace', call.option('grace') ?? String(GRACE_S), MAX_GRACE_S) * 1000,
  }
}

/** Why it is to be stopped; null where it goes on. */
export function leaseEndOf(event: AgentEvent, policy: LeaseEndPolicy): LeaseEnd | null {
  if (policy === 'keep') return null
  if (event.kind === 'lease-ended') return 'lease-ended'
  return event.kind === 'denied' ? 'release-withdrawn' : null
}
