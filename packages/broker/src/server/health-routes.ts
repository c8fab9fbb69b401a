// Liveness: the process answers. Readiness: it can decide and record, and is not on its way out; else the body says what
// cannot be done. Both answer HEAD, which balancers send.

import type { FastifyInstance } from 'fastify'
import { BrokerError, errorBody } from '../errors.ts'
import { type Unready, unready } from './readiness.ts'

export interface HealthParts {
  /** Null where everything can be done. */
  readonly check: () => Promise<Unready | null>
  readonly isClosing: () => boolean
}

export function healthRoutes(app: FastifyInstance, { check, isClosing }: HealthParts): void {
  const options = { config: { access: 'public' }, exposeHeadRoute: true } as const
  app.get('/healthz', options, async () => ({ status: 'ok' }))
  app.get('/readyz', options, async (_request, reply) => {
    const found = isClosing() ? unready('shutting-down') : await check()
    if (found === null) return { status: 'ready' }
    const { code, message, hint } = found
    const error = new BrokerError('unavailable', message, hint === undefined ? {} : { hint })
    return reply.code(error.status).send({ status: 'unready', reason: code, ...errorBody(error) })
  })
}
