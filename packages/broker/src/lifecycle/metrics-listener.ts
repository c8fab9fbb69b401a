// /metrics on a listener of its own, so that it can be kept from whoever may reach the broker. Beyond loopback it
// needs TLS, as everything does, and an administrator's token.

import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import { isLoopback } from '../config/check.ts'
import type { ListenAddress } from '../config/units.ts'
import { type AppParts, createApp } from '../http/app.ts'
import { type HealthParts, healthRoutes } from './health-routes.ts'

export function createMetricsApp(
  parts: AppParts,
  address: ListenAddress,
  { health, text }: { readonly health: HealthParts; readonly text: () => Promise<string> },
): FastifyInstance {
  const app = createApp(parts)
  const access = isLoopback(address.host) ? 'public' : 'auditor'
  app.get('/metrics', { config: { access, probe: true } }, async (_request, reply) =>
    reply.type(Registry.PROMETHEUS_CONTENT_TYPE).send(await text()),
  )
  healthRoutes(app, health)
  return app
}
