// Who administers: the server has checked the token before any handler of a route with a role runs.

import type { FastifyRequest } from 'fastify'
import type { Actor } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import type { Administrator } from '../roles.ts'

/** The administrator as the ledger names it. */
export function actorOf(request: FastifyRequest): Actor {
  const { administrator }: { administrator: Administrator | null } = request
  // Only where a route was registered without a role: refuse rather than act for nobody.
  if (administrator === null) throw new BrokerError('token-missing', 'an administrator’s token is required')
  const { token, name, role } = administrator
  return { token, name, role }
}
