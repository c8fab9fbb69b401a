// The broker's parts served over HTTP: the routes of both APIs on one server, and metrics on another.

import type { Server as SecureServer } from 'node:https'
import type { FastifyInstance } from 'fastify'
import { ClientLimit } from '../client-limit.ts'
import type { BrokerConfig } from '../config/settings.ts'
import { type AppParts, createApp } from '../http/app.ts'
import { strangerAllowance } from '../http/stranger-allowance.ts'
import { readTls, type TlsMaterial, TlsReloader } from '../http/tls.ts'
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
import { VERSION } from './version.ts'

const MINUTE_MS = 60_000

/** Both APIs, ready to be served. */
export interface MainApp {
  readonly app: FastifyInstance
  /** Method and pattern of every route of `app`. */
  readonly routes: readonly string[]
}

/** What an app is made with beside the core. */
export type Serving = Pick<AppParts, 'admission' | 'allowance' | 'tls'> & { readonly health: HealthParts }

export async function openMainApp(core: Core, serving: Serving): Promise<MainApp> {
  const { health } = serving
  const app = createApp(partsOf(core, serving))
  const routes: string[] = []
  app.addHook('onRoute', ({ method, url }) => void routes.push(`${String(method)} ${url}`))
  await registerRoutes(app, core, health)
  return { app, routes }
}

/** Null where `metricsListen` is off. `text` is what is read there. */
export function openMetricsApp(
  core: Core,
  tls: TlsMaterial | null,
  shown: { readonly health: HealthParts; readonly text: () => Promise<string> },
): FastifyInstance | null {
  const { config } = core.context
  if (config.metricsListen === 'off') return null
  const { health, text } = shown
  const allowance = strangerAllowance(config, core.elapsedMs)
  const parts = partsOf(core, { admission: allowance, allowance, tls, health })
  return createMetricsApp(parts, config.metricsListen, { health, text })
}

/** Null: plain HTTP. */
export function loadTls(config: BrokerConfig): TlsMaterial | null {
  const files = tlsFilesOf(config)
  return files === null ? null : readTls(files)
}

/** Null where there is no TLS. */
export function reloaderOf(
  config: BrokerConfig,
  loaded: TlsMaterial | null,
  apps: readonly FastifyInstance[],
): TlsReloader | null {
  const files = tlsFilesOf(config)
  if (files === null || loaded === null) return null
  // Made by createHttpsServer where there is TLS.
  const servers = apps.map(each => each.server as unknown as SecureServer)
  return new TlsReloader(servers, files, loaded)
}

function partsOf(core: Core, { admission, allowance, tls }: Serving): AppParts {
  const { context, state } = core
  const newLimit = () =>
    new ClientLimit({
      count: context.config.authLimit,
      windowMs: MINUTE_MS,
      elapsedMs: core.elapsedMs,
    })
  const limits = { auth: newLimit(), attest: newLimit() }
  const protocol = KBS_PROTOCOL_ERRORS
  return { ...core, ...context, record: state.record, limits, admission, allowance, tls, protocol }
}

async function registerRoutes(app: FastifyInstance, core: Core, health: HealthParts): Promise<void> {
  const { context, pipeline, state } = core
  const rules = createReleaseRules(context)
  await collectOpenapi(app, VERSION)
  registerV1(app, { ...core, ...context, ...state, version: VERSION, rules })
  openapiRoutes(app, () => kbsDescription(VERSION))
  logRoutes(app, state.ledger)
  healthRoutes(app, health)
  await registerKbs(app, { ...context, pipeline, rules })
}
