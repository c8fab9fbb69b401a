// A desk: a process that serves clients whose connections were admitted elsewhere, with everything of a broker but the door, the
// key file and housekeeping. It decides and records as any process would that works on the same store (decision 37).

import type { EndorsementSource, TrustAnchor } from '@casemate/evidence'
import type { BrokerConfig } from '../../config/settings.ts'
import { createLogger, type Logger } from '../../http/logging.ts'
import { createMetrics, observeProcess } from '../../http/metrics.ts'
import { type Allowance, strangerAllowance } from '../../http/stranger-allowance.ts'
import { loadTls, openMainApp, reloaderOf } from '../apps.ts'
import { trustConfigured } from '../authorities.ts'
import { type Core, flushCounts, openCore } from '../core.ts'
import { watchTls } from '../listening.ts'
import type { Unready } from '../readiness.ts'
import { Reloader } from '../reload.ts'
import { ownTasks, Rounds } from '../rounds.ts'
import type { Clocks } from '../state.ts'
import { type DeskState, type LedgerFacts, openDeskState } from './desk-state.ts'
import type { Keeper } from './keeper.ts'
import type { Line } from './line.ts'
import { SentLines } from './log-lines.ts'
import { ServedConnections } from './served-connections.ts'

/** What a desk is opened with. */
export interface Opening {
  readonly config: BrokerConfig
  readonly ledger: LedgerFacts
  /** One for each desk; the keeper has 0. */
  readonly number: number
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly EndorsementSource[]
}

/** What a desk has of its own process: the way to the keeper, and clocks. */
export interface OwnProcess extends Clocks {
  readonly line: Line<Keeper>
  /** Whether the keeper has ended, and another may be there by now. */
  readonly isLeft: () => boolean
}

export type Desk = Awaited<ReturnType<typeof openDesk>>

export async function openDesk(opening: Opening, own: OwnProcess) {
  const { config } = opening
  const { line } = own
  trustConfigured(config.caFile)
  const logger: Logger = createLogger(
    config.logLevel,
    new SentLines(
      (text, onSent) => line.tell('log', [text], onSent),
      lines => logger.warn({ lines }, 'lines of the log were lost'),
    ),
  )
  const { ledger, number } = opening
  const state = await openDeskState({ ...own, config, ledger, number })
  const { core, metrics } = await openOwnCore(opening, own, { state, logger })
  const health = { isClosing: false }
  const tls = loadTls(config)
  const { app } = await openMainApp(core, {
    admission: null,
    allowance: allowanceOf(core, line),
    tls,
    health: { check: () => unready(state, line), isClosing: () => health.isClosing },
  })
  await app.ready()
  const reloader = reloaderOf(config, tls, [app])
  const stopWatching =
    reloader === null ? () => undefined : watchTls(reloader, config.tlsReloadInterval, logger)
  const rereading = new Reloader({ config, tls: reloader, endorsements: core.endorsements, logger })
  const rounds = new Rounds(ownTasks({ ...core, ...core.context }), logger)
  const connections = new ServedConnections(app.server, number => line.tell('closed', [number]))
  return {
    connections,
    metrics: () => metrics.registry.getMetricsAsJSON(),
    forget: (version: number) => state.forget(version),
    reload: (wanted: BrokerConfig) => void rereading.reload(() => wanted),
    close: async (graceMs: number) => {
      health.isClosing = true
      stopWatching()
      await rounds.stop()
      await connections.close(graceMs)
      await app.close()
      await flushCounts(core)
      await state.close()
    },
  }
}

async function openOwnCore(
  { config, anchors, endorsements }: Opening,
  { now, elapsedMs }: OwnProcess,
  { state, logger }: { readonly state: DeskState; readonly logger: Logger },
) {
  const metrics = createMetrics()
  observeProcess(metrics)
  const deps = { now, elapsedMs, anchors, endorsements }
  const core = await openCore(config, { deps, state, logger, metrics })
  return { core, metrics }
}

async function unready({ readiness }: DeskState, line: Line<Keeper>): Promise<Unready | null> {
  return (await readiness.check()) ?? line.call('unready')
}

/** This process's own tells whether a connection goes on; the keeper's, whether its client gets another. */
function allowanceOf({ context, elapsedMs }: Core, line: Line<Keeper>): Allowance {
  const own = strangerAllowance(context.config, elapsedMs)
  return {
    charge: (address, times) => {
      line.tell('charge', [address, times])
      return own.charge(address, times)
    },
  }
}
