// What every route declares about itself, and what the server puts on a request. Types only.

import type { Access, Administrator } from '../admin/roles.ts'
import type { ChallengedSession } from '../sessions/session.ts'

/** Budgets of their own: guests behind one address that attest late must not find theirs spent on challenges. */
export type LimitName = 'auth' | 'attest'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. A route without it is refused when it is registered. */
    access?: Access
    /**
     * True where a success writes a ledger entry of its own with the administrator as actor; every other use of an
     * administrator’s token gets an `admin.used` entry before the answer is sent.
     */
    records?: boolean
    /** Where each client may call it only `authLimit` times a minute: the budget that it is counted in. */
    limited?: LimitName
  }

  interface FastifyRequest {
    /** Set before any handler of a route whose access is a role. */
    administrator: Administrator | null
    /** Set before the body of an attestation is read: the session whose challenge it answers. */
    challenged: ChallengedSession | null
  }
}
