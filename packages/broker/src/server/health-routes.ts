// Liveness: the process answers. Readiness: it can decide and record, and is not on its way out.

import type { FastifyInstance } from 'fastify'
import { BrokerError } from '../errors.ts'

export interface HealthParts {
  /** Throws where the store cannot be read, or must not be written. */
  readonly check: () => Promise<void>
  readonly isClosing: () => boolean
}

export function healthRoutes(app: FastifyInstance, { check, isClosing }: HealthParts): void {
  app.get('/healthz', { config: { access: 'public' } }, async () => ({ status: 'ok' }))
  app.get('/readyz', { config: { access: 'public' } }, async () => {
    if (isClosing()) throw new BrokerError('unavailable', 'the broker is shutting down')
    try {
      await check()
    } catch (error) {
      if (error instanceof BrokerError) throw error
      throw new BrokerError('unavailable', 'the store cannot be read', { cause: error })
    }
    return { status: 'ready' }
  })
}
