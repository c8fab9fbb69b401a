// Who a ledger entry names for a change that came over /v1.

import type { FastifyRequest } from 'fastify'
import type { Actor } from '../entry.ts'
import { BrokerError } from '../errors.ts'

/** The administrator that src/http/access.ts let in. */
export function actorOf(request: FastifyRequest): Actor {
  const { administrator } = request
  if (administrator !== null) return { ...administrator }
  throw new BrokerError('internal', 'a change without an administrator')
}
