// What every route declares about itself, and what the server puts on a request. Types only.

import type { Access, Administrator } from '../admin/roles.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. A route without it is refused when it is registered. */
    access?: Access
    /**
     * True where a success writes a ledger entry of its own with the administrator as actor; every other use of an
     * administrator’s token gets an `admin.used` entry before the answer is sent.
     */
    records?: boolean
    /** True where each client may call it only `authLimit` times a minute. */
    limited?: boolean
  }

  interface FastifyRequest {
    /** Set before any handler of a route whose access is a role. */
    administrator: Administrator | null
  }
}
