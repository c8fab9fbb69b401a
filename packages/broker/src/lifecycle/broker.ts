// The broker, put together: state, keys, routes, listeners; and taken apart again without losing a request.

import type { Ledger } from '@casemate/ledger/node'
import type { FastifyInstance } from 'fastify'
import type { Administrators } from '../admin/tokens.ts'
import { checkConfig } from '../config/check.ts'
import type { BrokerConfig } from '../config/settings.ts'
import { entry } from '../entry.ts'
import { createLogger, describeError, type Logger } from '../http/logging.ts'
import { createMetrics, observeBroker, observeProcess } from '../http/metrics.ts'
import type { TlsReloader } from '../http/tls.ts'
import { exposedMode } from '../keys/exposed-file.ts'
import { loadTls, openMetricsApp, reloaderOf } from './apps.ts'
import { trustConfigured } from './authorities.ts'
import type { BrokerContext } from './context.ts'
import { type BrokerDeps, type Core, flushCounts, openCore } from './core.ts'
import { openDesks } from './desks/desks.ts'
import { type DeskProcess, startProcesses } from './desks/processes.ts'
import type { Front, FrontParts } from './front.ts'
import type { HealthParts } from './health-routes.ts'
import { Housekeeping } from './housekeeping.ts'
import { Judging } from './judging.ts'
import { drain, listen, watchTls } from './listening.ts'
import { metricsText } from './metrics-text.ts'
import { openOwnFront } from './own-front.ts'
import { type Part, Reloader } from './reload.ts'
import { keepersState } from './shared-state.ts'
import { type BrokerState, openState } from './state.ts'
import { VERSION } from './version.ts'

/** A broker without listeners, which serves in this process: what tests inject requests into. */
export interface OpenBroker {
  readonly app: FastifyInstance
  /** Null where `metricsListen` is off. */
  readonly metricsApp: FastifyInstance | null
  readonly administrators: Administrators
  readonly context: BrokerContext & { readonly ledger: Ledger }
  readonly housekeeping: Housekeeping
  /** Method and pattern of every route of `app`. */
  readonly routes: readonly string[]
  /** Settled where the ledger, or a process that serves, has failed for good: only a new start, which checks what is stored, helps. */
  readonly failed: Promise<Error>
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
  readonly failed: Promise<Error>
  /** Drains, then closes ledger and database. May be called more than once. */
  close(): Promise<void>
}

/** @throws {StartError} for what whoever starts it can mend */
export async function startBroker(config: BrokerConfig, deps: BrokerDeps): Promise<RunningBroker> {
  checkConfig(config)
  const processes = startProcesses(config)
  try {
    return await listening(config, deps, processes)
  } catch (error) {
    await Promise.all(processes.map(one => one.end()))
    throw error
  }
}

async function listening(
  config: BrokerConfig,
  deps: BrokerDeps,
  processes: readonly DeskProcess[],
): Promise<RunningBroker> {
  const openFront: OpenFront<Front> =
    processes.length === 0 ? openOwnFront : parts => openDesks(parts, processes)
  const broker = await open(config, deps, openFront)
  try {
    const { core, front, metricsApp } = broker
    const { administrators } = core
    const url = await front.listen()
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
  const { core, front, ledger, ...broker } = await open(config, deps, openOwnFront)
  const { app, routes } = front
  const { administrators } = core
  const context = { ...core.context, ledger }
  return { app, routes, administrators, context, ...broker }
}

/** Put together, with what clients meet. */
interface Assembled<F extends Front> {
  readonly core: Core
  readonly front: F
  readonly ledger: Ledger
  readonly metricsApp: FastifyInstance | null
  readonly housekeeping: Housekeeping
  readonly failed: Promise<Error>
  reload(read: () => BrokerConfig): Promise<void>
  close(): Promise<void>
}

type OpenFront<F extends Front> = (parts: FrontParts) => Promise<F>

async function open<F extends Front>(
  config: BrokerConfig,
  deps: BrokerDeps,
  openFront: OpenFront<F>,
): Promise<Assembled<F>> {
  trustConfigured(config.caFile)
  const state = await openState(config, deps)
  try {
    return await assemble({ config, deps, state }, openFront)
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

interface Opened {
  readonly config: BrokerConfig
  readonly deps: BrokerDeps
  readonly state: BrokerState
}

async function assemble<F extends Front>(opened: Opened, openFront: OpenFront<F>): Promise<Assembled<F>> {
  const { config, deps, state } = opened
  const inside = await openInside(opened)
  const { core, shared, metrics, logger } = inside
  const judging = new Judging(() => core.pipeline.assertAble(), logger)
  await judging.check()
  const closing = { hasBegun: false }
  const health: HealthParts = {
    check: async () => (await state.readiness.check()) ?? (await judging.check()),
    isClosing: () => closing.hasBegun,
  }
  const loaded = loadTls(config)
  const front = await openFront({ config, deps, core, shared, health, tls: loaded })
  const text = async () => metricsText(metrics, await front.metrics())
  const metricsApp = openMetricsApp(core, loaded, { health, text })
  const listeners = metricsApp === null ? front.apps : [...front.apps, metricsApp]
  const tls = reloaderOf(config, loaded, listeners)
  const housekeeping = openHousekeeping(config, core, state)
  const shutDown = runBeside({ opened, inside, front, metricsApp, housekeeping, tls })
  let closed: Promise<void> | null = null
  const close = () => {
    closing.hasBegun = true
    closed ??= shutDown()
    return closed
  }
  const reloader = new Reloader({ config, tls, endorsements: core.endorsements, logger })
  const reload: OpenBroker['reload'] = async read => {
    if (closing.hasBegun) return
    await recordReloaded(reloader.reload(read), core)
    await front.reload(reloader.inForce)
  }
  const failed = Promise.race([state.failed, front.failed])
  return { core, front, ledger: state.ledger, metricsApp, housekeeping, failed, reload, close }
}

type Inside = Awaited<ReturnType<typeof openInside>>

/** All of it that no client meets, on record as started. */
async function openInside({ config, deps, state }: Opened) {
  const logger = deps.logger ?? createLogger(config.logLevel)
  tellOfExposed(config, logger)
  const metrics = createMetrics()
  observeProcess(metrics)
  observeBroker(metrics, { version: VERSION, ledgerSize: () => sizeOf(state.ledger) })
  const shared = keepersState(state, deps.now)
  const core = await openCore(config, { deps, state: shared, logger, metrics })
  const head = { type: 'broker.started', at: deps.now(), actor: { system: 'start' } } as const
  await state.record(entry(head, { version: VERSION }))
  return { core, shared, metrics, logger }
}

/** What this process knows of it, where the store cannot be asked. */
async function sizeOf(ledger: Ledger): Promise<number> {
  try {
    return await ledger.currentSize()
  } catch {
    return ledger.size
  }
}

interface Running {
  readonly opened: Opened
  readonly inside: Inside
  readonly front: Front
  readonly metricsApp: FastifyInstance | null
  readonly housekeeping: Housekeeping
  readonly tls: TlsReloader | null
}

/** Begins what runs beside the clients, and gives what ends all of it. */
function runBeside({ opened, inside, front, metricsApp, housekeeping, tls }: Running): () => Promise<void> {
  const { config, state } = opened
  const { core, shared, logger } = inside
  const stopWatching = tls === null ? () => undefined : watchTls(tls, config.tlsReloadInterval, logger)
  const resumed = shared.rotation.resume().catch((error: unknown) => {
    logger.error({ failure: describeError(error) }, 'key rotation could not be resumed')
  })
  return async () => {
    stopWatching()
    // Where the ledger takes nothing any more, or something does not close, the rest is closed all the same.
    try {
      await housekeeping.stop()
      await Promise.all([
        front.close(config.shutdownGrace),
        ...(metricsApp === null ? [] : [drain(metricsApp, config.shutdownGrace)]),
      ])
      await resumed
      await flushCounts(core)
    } finally {
      await state.close()
    }
  }
}

function openHousekeeping(config: BrokerConfig, core: Core, { kek }: BrokerState): Housekeeping {
  const { store, counted, now, logger } = core.context
  return new Housekeeping({
    ...core,
    store,
    counted,
    now,
    logger,
    record: core.state.record,
    kek,
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
