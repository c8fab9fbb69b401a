// The flags of the commands that live on a lease; what each of them ends is its own to say.

import type { Flag } from '../command.ts'

/** Seconds that a service has to end in order, as systemd and Kubernetes have them in this size. */
export const DEFAULT_GRACE_S = 10

/** `what` is stopped or kept; `grace` is what the grace is for. */
export function leaseFlags(what: string, grace: string) {
  return {
    'on-lease-end': {
      value: 'WHAT',
      takes: ['stop', 'keep'],
      summary: `stop (default) or keep ${what} when its lease ends or is withdrawn`,
    },
    grace: { value: 'SECONDS', summary: `${grace} (default ${DEFAULT_GRACE_S})` },
  } as const satisfies Record<string, Flag>
}
