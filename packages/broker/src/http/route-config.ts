// The declarations that every route makes about itself, and the members that the server adds to a request. Types only.

import type { BrokerError } from '../errors.ts'
import type { Access, Administrator } from '../roles.ts'

/** Budgets of their own: guests behind one address that attest late must not find theirs spent on challenges. */
export type LimitName = 'auth' | 'attest'

/** Why a request was refused. */
export interface Refused {
  readonly error: BrokerError
  /** Where the code alone does not say what is the matter. */
  readonly reason?: string
}

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
    /** True where machines ask every few seconds: a success is logged at debug. */
    probe?: boolean
  }

  interface FastifyRequest {
    /** Set before any handler of a route whose access is a role. */
    administrator: Administrator | null
    /** The attestation of the guest that asks, once it is known. */
    attestation: string | null
    /** Null where it was not refused. */
    refusal: Refused | null
  }
}
