// The broker, put together: state, keys, routes, listeners; and taken apart again without losing a request.

import type { Server as SecureServer } from 'node:https'
import {
  type EndorsementSource,
  readEndorsements,
  type TrustAnchor,
  VENDOR_ANCHORS,
} from '@casemate/evidence'
import type { LedgerError } from '@casemate/ledger'
import type { FastifyInstance } from 'fastify'
import manifest from '../../package.json' with { type: 'json' }
import { RefusedAttempts } from '../admin/refused-attempts.ts'
import { Administrators } from '../admin/tokens.ts'
import { createPipeline } from '../attestation/pipeline.ts'
import { RefusalLimit } from '../attestation/refusal-limit.ts'
import { ClientLimit } from '../client-limit.ts'
import { checkConfig } from '../config/check.ts'
import type { BrokerConfig } from '../config/settings.ts'
import { CountedEntries } from '../counted-entries.ts'
import { entry } from '../entry.ts'
import { type AppParts, createApp } from '../http/app.ts'
import { createLogger, describeError, type Logger } from '../http/logging.ts'
import { createMetrics } from '../http/metrics.ts'
import { readTls, TlsReloader } from '../http/tls.ts'
import { KBS_PROTOCOL_ERRORS } from '../kbs/answer.ts'
import { kbsDescription } from '../kbs/description.ts'
import { registerKbs } from '../kbs/routes.ts'
import { BrokerKeys } from '../keys/broker-keys.ts'
import { exposedMode } from '../keys/exposed-file.ts'
import { KekRotation } from '../keys/kek-rotation.ts'
import { PendingWraps } from '../keys/pending-wraps.ts'
import { collectOpenapi, openapiRoutes } from '../openapi/document.ts'
import { createReleaseRules } from '../release/rules.ts'
import { SecretService } from '../secrets/secret-service.ts'
import type { Beginning } from '../store/beginning.ts'
import { logRoutes } from '../v1/public-log.ts'
import { registerV1 } from '../v1/routes.ts'
import { trustConfigured } from './authorities.ts'
import type { BrokerContext } from './context.ts'
import { LoadedEndorsements } from './endorsement-files.ts'
import { type HealthParts, healthRoutes } from './health-routes.ts'
import { Housekeeping } from './housekeeping.ts'
import { Judging } from './judging.ts'
import { drain, listen, tlsFilesOf, watchTls } from './listening.ts'
import { createMetricsApp } from './metrics-listener.ts'
import { type Part, Reloader } from './reload.ts'
import { type BrokerState, type Clocks, openState } from './state.ts'

const VERSION = manifest.version

const MINUTE_MS = 60_000

/** What the broker takes from whoever starts it. */
export interface BrokerDeps extends Clocks {
  /** Trusted beside the vendors' pinned roots: a simulator's. */
  readonly anchors: readonly TrustAnchor[]
  /** Known beside `endorsementPaths`. */
  readonly endorsements: readonly EndorsementSource[]
  /** Null: JSON lines on standard output. */
  readonly logger: Logger | null
  /** As it was unless said otherwise. */
  readonly beginning?: Beginning
}

/** A broker without listeners: what tests inject requests into. */
export interface OpenBroker {
  readonly app: FastifyInstance
  /** Null where `metricsListen` is off. */
  readonly metricsApp: FastifyInstance | null
  readonly administrators: Administrators
  readonly context: BrokerContext
  readonly housekeeping: Housekeeping
  /** Method and pattern of every route of `app`. */
  readonly routes: readonly string[]
  /** Settled where the ledger has failed for good: only a new start, which checks what is stored, helps. */
  readonly failed: Promise<LedgerError>
  /** As of {@link RunningBroker}. */
  reload(read: () => BrokerConfig): Promise<void>
  close(): Promise<void>
}

/** A broker that listens. */
export interface RunningBroker {
  readonly url: string
  readonly metricsUrl: string | null
  /** Made where no valid token with the role admin existed; the only time that it is seen. */
  readonly firstAdminToken: string | null
  /** The way back in where the token was lost: one more with the role admin, on the record. */
  issueAdminToken(): Promise<string>
  /** When an administrator's token ends; null for what is none here, or has ended. */
  endOfToken(token: string): Promise<Date | null>
  /**
   * Reads TLS files, endorsements and the log level again, by the settings that `read` gives. Says in the log what came
   * of it; what cannot be used stays as it was. Never fails.
   */
  reload(read: () => BrokerConfig): Promise<void>
  /** As of {@link OpenBroker}: whoever runs it ends it then, to be started again. */
  readonly failed: Promise<LedgerError>
  /** Drains, then closes ledger and database. May be called more than once. */
  close(): Promise<void>
}

/** @throws {StartError} for what whoever starts it can mend */
export async function startBroker(config: BrokerConfig, deps: BrokerDeps): Promise<RunningBroker> {
  const broker = await openBroker(config, deps)
  try {
    const { administrators, app, metricsApp } = broker
    const url = await listen(app, 'listen', config)
    const metricsUrl =
      metricsApp === null ? null : `${await listen(metricsApp, 'metricsListen', config)}/metrics`
    return {
      url,
      metricsUrl,
      // Last, as its text exists only here: a start that fails must not have made one.
      firstAdminToken: await administrators.ensureAdmin(),
      failed: broker.failed,
      reload: read => broker.reload(read),
      issueAdminToken: () => administrators.issueAdmin(),
      endOfToken: token => administrators.endOf(token),
      close: () => broker.close(),
    }
  } catch (error) {
    await broker.close()
    throw error
  }
}

/** @throws {StartError} as {@link startBroker} */
export async function openBroker(config: BrokerConfig, deps: BrokerDeps): Promise<OpenBroker> {
  checkConfig(config)
  trustConfigured(config.caFile)
  const state = await openState(config, deps)
  try {
    return await assemble(config, deps, state)
  } catch (error) {
    await state.close()
    throw error
  }
}

/** No refusal: that others can read it may be meant, as where nobody else is on the machine. */
function tellOfExposed(config: BrokerConfig, logger: Logger): void {
  for (const setting of ['kekPassphraseFile', 'tlsKeyFile'] as const) {
    const path = config[setting]
    const mode = path === null ? null : exposedMode(path)
    if (mode !== null) logger.warn({ setting, path, mode }, 'every user of this machine can read this file')
  }
}

async function assemble(config: BrokerConfig, deps: BrokerDeps, state: BrokerState): Promise<OpenBroker> {
  const logger = deps.logger ?? createLogger(config.logLevel)
  tellOfExposed(config, logger)
  const core = await openCore(config, { deps, state, logger })
  const head = { type: 'broker.started', at: deps.now(), actor: { system: 'start' } } as const
  await state.record(entry(head, { version: VERSION }))
  let isClosing = false
  const judging = new Judging(() => core.pipeline.assertAble(), logger)
  await judging.check()
  const health: HealthParts = {
    check: async () => (await state.readiness.check()) ?? (await judging.check()),
    isClosing: () => isClosing,
  }
  const { apps, app, metricsApp, routes, tls } = await openApps(config, core, health)
  const stopWatching = tls === null ? () => undefined : watchTls(tls, config.tlsReloadInterval, logger)
  const housekeeping = openHousekeeping(config, core)
  const resumed = core.rotation.resume().catch((error: unknown) => {
    logger.error({ failure: describeError(error) }, 'key rotation could not be resumed')
  })

  const shutDown = async () => {
    isClosing = true
    stopWatching()
    // Where the ledger takes nothing any more, or something does not close, the rest is closed all the same.
    try {
      await housekeeping.stop()
      await Promise.all(apps.map(each => drain(each, config.shutdownGrace)))
      await resumed
      await flushCounts(core, logger)
    } finally {
      await state.close()
    }
  }
  let closed: Promise<void> | null = null
  const close = () => {
    closed ??= shutDown()
    return closed
  }
  const reloader = new Reloader({ config, tls, endorsements: core.endorsements, logger })
  const reload: OpenBroker['reload'] = async read => {
    if (!isClosing) await recordReloaded(reloader.reload(read), core)
  }
  const { administrators, context } = core
  const { failed } = state
  return { app, metricsApp, administrators, context, housekeeping, routes, failed, reload, close }
}

function openHousekeeping(config: BrokerConfig, core: Core): Housekeeping {
  const { store, counted, now, logger } = core.context
  return new Housekeeping({
    ...core,
    store,
    counted,
    now,
    logger,
    record: core.state.record,
    kek: core.state.kek,
    evidenceRetentionMs: config.evidenceRetention,
    refusalRetentionMs: config.refusalRetention,
  })
}

async function recordReloaded(reloaded: readonly Part[], { context, state }: Core): Promise<void> {
  if (reloaded.length === 0) return
  const head = { type: 'broker.reloaded', at: context.now(), actor: { system: 'reload' } } as const
  await state.record(entry(head, { reloaded })).catch((error: unknown) => {
    context.logger.error({ failure: describeError(error) }, 'what was reloaded could not be recorded')
  })
}

async function flushCounts({ attempts, context }: Core, logger: Logger): Promise<void> {
  try {
    await attempts.flush('all')
    await context.counted.flush()
  } catch (error) {
    logger.error({ failure: describeError(error) }, 'counts of refused attempts could not be recorded')
  }
}

interface CoreSources {
  readonly deps: BrokerDeps
  readonly state: BrokerState
  readonly logger: Logger
}

/** The parts without HTTP. */
async function openCore(config: BrokerConfig, { deps, state, logger }: CoreSources) {
  const { now } = deps
  const { store, kek, record } = state
  const pending = new PendingWraps()
  const keys = new BrokerKeys({
    store,
    kek,
    pending,
    now,
    tokenLifetimeMs: config.tokenLifetime,
    sessionTimeoutMs: config.sessionTimeout,
  })
  await keys.open()
  const metrics = createMetrics(VERSION)
  metrics.observeLedger(() => state.ledger.size)
  const counted = new CountedEntries(record, now)
  const endorsements = new LoadedEndorsements(readEndorsements(deps.endorsements), config.endorsementPaths)
  const context: BrokerContext = {
    config,
    store,
    ledger: state.ledger,
    tokenKeys: keys.tokenKeys,
    sessionKeys: keys.sessionKeys,
    secrets: new SecretService({ store, kek, pending, now }),
    anchors: [...VENDOR_ANCHORS, ...deps.anchors],
    endorsements: () => endorsements.current,
    refusals: new RefusalLimit(deps.elapsedMs),
    counted,
    now,
    logger,
    metrics,
  }
  const administrators = new Administrators({ store, now })
  const attempts = new RefusedAttempts(record, now, deps.elapsedMs)
  const rotation = new KekRotation({ store, kek, pending, now, record })
  const { elapsedMs } = deps
  const pipeline = createPipeline(context)
  return { context, pipeline, keys, administrators, attempts, rotation, state, endorsements, elapsedMs }
}

type Core = Awaited<ReturnType<typeof openCore>>

async function openApps(config: BrokerConfig, core: Core, health: HealthParts) {
  const { context, state } = core
  const { now, logger, metrics } = context
  const files = tlsFilesOf(config)
  const loaded = files === null ? null : readTls(files)
  const newLimit = () =>
    new ClientLimit({ count: config.authLimit, windowMs: MINUTE_MS, elapsedMs: core.elapsedMs })
  const limits = { auth: newLimit(), attest: newLimit() }
  const parts: AppParts = {
    ...core,
    config,
    logger,
    tls: loaded,
    limits,
    metrics,
    now,
    record: state.record,
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
  const { context, pipeline, state } = core
  const rules = createReleaseRules(context)
  await collectOpenapi(app, VERSION)
  registerV1(app, {
    ...core,
    ...context,
    rules,
    kek: state.kek,
    ledgerKey: state.ledgerKey,
    version: VERSION,
  })
  openapiRoutes(app, () => kbsDescription(VERSION))
  logRoutes(app, state.ledger)
  healthRoutes(app, health)
  await registerKbs(app, { ...context, pipeline, rules })
}
