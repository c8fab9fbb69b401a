// A desk: a thread that serves clients whose connections were admitted elsewhere, with everything of a broker but what
// writes. It decides as any process would that works on the same store (decision 37).

import type { DatabaseSync } from 'node:sqlite'
import type { EndorsementSource, TrustAnchor } from '@casemate/evidence'
import { openDatabase } from '@casemate/ledger/node'
import type { BrokerConfig } from '../../config/settings.ts'
import { createLogger, type Logger } from '../../http/logging.ts'
import { createMetrics } from '../../http/metrics.ts'
import { type Allowance, strangerAllowance } from '../../http/stranger-allowance.ts'
import { loadTls, openMainApp, reloaderOf } from '../apps.ts'
import { trustConfigured } from '../authorities.ts'
import { type Core, flushCounts, openCore } from '../core.ts'
import { watchTls } from '../listening.ts'
import { Reloader } from '../reload.ts'
import { ownTasks, Rounds } from '../rounds.ts'
import type { Clocks } from '../state.ts'
import { askedState, type LedgerFacts } from './asked-state.ts'
import type { Line } from './line.ts'
import { ServedConnections } from './served-connections.ts'
import type { Writer } from './writer.ts'

/** What a desk is opened with. */
export interface Opening {
  readonly config: BrokerConfig
  readonly database: string
  readonly ledger: LedgerFacts
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly EndorsementSource[]
}

/** What a desk has of its own thread: the way to the one that writes, and clocks. */
export interface DeskThread extends Clocks {
  readonly line: Line<Writer>
}

export type Desk = Awaited<ReturnType<typeof openDesk>>

export async function openDesk(opening: Opening, thread: DeskThread) {
  const { config } = opening
  const { line } = thread
  trustConfigured(config.caFile)
  const logger = createLogger(config.logLevel, { write: text => line.tell('log', [text]) })
  const db = openDatabase(opening.database)
  // One thread writes.
  db.exec('PRAGMA query_only = ON')
  const { core, metrics } = await openOwnCore(opening, thread, { db, logger })
  const health = { isClosing: false }
  const tls = loadTls(config)
  const { app } = await openMainApp(core, {
    admission: null,
    allowance: allowanceOf(core, line),
    tls,
    health: { check: () => line.call('unready'), isClosing: () => health.isClosing },
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
    reload: (wanted: BrokerConfig) => void rereading.reload(() => wanted),
    close: async (graceMs: number) => {
      health.isClosing = true
      stopWatching()
      await rounds.stop()
      await connections.close(graceMs)
      await app.close()
      await flushCounts(core)
      db.close()
    },
  }
}

async function openOwnCore(
  { config, ledger, anchors, endorsements }: Opening,
  { line, now, elapsedMs }: DeskThread,
  { db, logger }: { readonly db: DatabaseSync; readonly logger: Logger },
) {
  const state = askedState({ line, db, ledger, refusalBudget: config.refusalBudget })
  const metrics = createMetrics()
  const deps = { now, elapsedMs, anchors, endorsements }
  const core = await openCore(config, { deps, state, logger, metrics })
  return { core, metrics }
}

/** This thread's own tells whether a connection goes on; the writer's, whether its client gets another. */
function allowanceOf({ context, elapsedMs }: Core, line: Line<Writer>): Allowance {
  const own = strangerAllowance(context.config, elapsedMs)
  return {
    charge: (address, times) => {
      line.tell('charge', [address, times])
      return own.charge(address, times)
    },
  }
}
