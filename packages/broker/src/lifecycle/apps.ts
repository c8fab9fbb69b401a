// The broker's parts served over HTTP: the routes of both APIs on one server, and metrics on another.

import type { Server as SecureServer } from 'node:https'
import type { FastifyInstance } from 'fastify'
import { ClientLimit } from '../client-limit.ts'
import type { BrokerConfig } from '../config/settings.ts'
import { type AppParts, createApp } from '../http/app.ts'
import { readTls, TlsReloader } from '../http/tls.ts'
import { KBS_PROTOCOL_ERRORS } from '../kbs/answer.ts'
import { kbsDescription } from '../kbs/description.ts'
import { registerKbs } from '../kbs/routes.ts'
import { collectOpenapi, openapiRoutes } from '../openapi/document.ts'
import { createReleaseRules } from '../release/rules.ts'
import { logRoutes } from '../v1/public-log.ts'
import { registerV1 } from '../v1/routes.ts'
import type { Core } from './core.ts'
import { type HealthParts, healthRoutes } from './health-routes.ts'
import { tlsFilesOf } from './listening.ts'
import { createMetricsApp } from './metrics-listener.ts'

const MINUTE_MS = 60_000

/** What is to listen. */
export interface Apps {
  readonly app: FastifyInstance
  /** Null where `metricsListen` is off. */
  readonly metricsApp: FastifyInstance | null
  /** Both. */
  readonly apps: readonly FastifyInstance[]
  /** Method and pattern of every route of `app`. */
  readonly routes: readonly string[]
  /** Null: plain HTTP. */
  readonly tls: TlsReloader | null
}

export async function openApps(config: BrokerConfig, core: Core, health: HealthParts): Promise<Apps> {
  const { context, state } = core
  const files = tlsFilesOf(config)
  const loaded = files === null ? null : readTls(files)
  const newLimit = () =>
    new ClientLimit({ count: config.authLimit, windowMs: MINUTE_MS, elapsedMs: core.elapsedMs })
  const limits = { auth: newLimit(), attest: newLimit() }
  const { record } = state
  const parts: AppParts = {
    ...core,
    ...context,
    record,
    limits,
    tls: loaded,
    protocol: KBS_PROTOCOL_ERRORS,
  }
  const app = createApp(parts)
  const routes: string[] = []
  app.addHook('onRoute', ({ method, url }) => void routes.push(`${String(method)} ${url}`))
  await registerRoutes(app, core, health)
  const metricsApp =
    config.metricsListen === 'off' ? null : createMetricsApp(parts, config.metricsListen, health)
  const apps = metricsApp === null ? [app] : [app, metricsApp]
  // Made by createHttpsServer where there is TLS.
  const servers = apps.map(each => each.server as unknown as SecureServer)
  const tls = files === null || loaded === null ? null : new TlsReloader(servers, files, loaded)
  return { app, metricsApp, apps, routes, tls }
}

async function registerRoutes(app: FastifyInstance, core: Core, health: HealthParts): Promise<void> {
  const { context, pipeline, state, version } = core
  const rules = createReleaseRules(context)
  await collectOpenapi(app, version)
  registerV1(app, { ...core, ...context, rules, kek: state.kek, ledgerKey: state.ledgerKey })
  openapiRoutes(app, () => kbsDescription(version))
  logRoutes(app, state.ledger)
  healthRoutes(app, health)
  await registerKbs(app, { ...context, pipeline, rules })
}
