// /metrics on a listener of its own, so that it can be kept from whoever may reach the broker. Beyond loopback it
// needs TLS, as everything does, and an administrator's token.

import type { FastifyInstance } from 'fastify'
import { isLoopback } from '../config/check.ts'
import type { ListenAddress } from '../config/units.ts'
import { type AppParts, createApp } from '../http/app.ts'
import { type HealthParts, healthRoutes } from './health-routes.ts'

export function createMetricsApp(
  parts: AppParts,
  address: ListenAddress,
  health: HealthParts,
): FastifyInstance {
  const app = createApp(parts)
  const { registry } = parts.metrics
  const access = isLoopback(address.host) ? 'public' : 'auditor'
  app.get('/metrics', { config: { access, probe: true } }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
  healthRoutes(app, health)
  return app
}
