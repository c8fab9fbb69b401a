// A desk: a thread that serves clients whose connections were admitted elsewhere, with everything of a broker but what
// writes. It decides as any process would that works on the same store (decision 37).

import type { Socket } from 'node:net'
import { parentPort } from 'node:worker_threads'
import type { EndorsementSource, TrustAnchor } from '@casemate/evidence'
import { openDatabase } from '@casemate/ledger/node'
import type { BrokerConfig } from '../../config/settings.ts'
import { createLogger, describeError, type Logger } from '../../http/logging.ts'
import { createMetrics } from '../../http/metrics.ts'
import { strangerAllowance } from '../../http/stranger-allowance.ts'
import { loadTls, openMainApp, reloaderOf } from '../apps.ts'
import { trustConfigured } from '../authorities.ts'
import { type Core, flushCounts, openCore } from '../core.ts'
import { watchTls } from '../listening.ts'
import { Reloader } from '../reload.ts'
import { askedState, type LedgerFacts } from './asked-state.ts'
import { Line } from './line.ts'
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

export type DeskMethods = typeof methods

const ROUND_MS = 60_000

if (parentPort === null) throw new TypeError('a desk is a thread of a broker')
const methods = {
  open: async (opening: Opening) => {
    desk = await openDesk(opening)
  },
  /** Serves a connection, which is told to be closed by its number. */
  serve: (socket: Socket, connection: number) => opened().connections.serve(socket, connection),
  end: (connection: number) => opened().connections.end(connection),
  /** Answered as long as it does not stand still. */
  look: () => undefined,
  metrics: () => opened().metrics(),
  reload: (config: BrokerConfig) => opened().reload(config),
  close: (graceMs: number) => opened().close(graceMs),
}
const line = new Line<Writer>(parentPort, methods)
let desk: Desk | null = null

function opened(): Desk {
  if (desk === null) throw new TypeError('the desk is not open yet')
  return desk
}

type Desk = Awaited<ReturnType<typeof openDesk>>

async function openDesk({ config, database, ledger, anchors, endorsements }: Opening) {
  trustConfigured(config.caFile)
  const logger = createLogger(config.logLevel, { write: text => line.tell('log', [text]) })
  const db = openDatabase(database)
  // One thread writes.
  db.exec('PRAGMA query_only = ON')
  const now = () => new Date()
  const elapsedMs = () => performance.now()
  const state = askedState({ line, db, ledger, refusalBudget: config.refusalBudget })
  const metrics = createMetrics()
  const deps = { now, elapsedMs, anchors, endorsements }
  const core = await openCore(config, { deps, state, logger, metrics })
  const own = strangerAllowance(config, elapsedMs)
  let isClosing = false
  const tls = loadTls(config)
  const { app } = await openMainApp(core, {
    admission: 'elsewhere',
    // Its own tells whether this connection goes on; the writer's, whether the client gets another.
    allowance: {
      take: address => own.take(address),
      charge: (address, times) => {
        line.tell('charge', [address, times])
        return own.charge(address, times)
      },
    },
    tls,
    health: { check: () => line.call('unready'), isClosing: () => isClosing },
  })
  await app.ready()
  const reloader = reloaderOf(config, tls, [app])
  const stopWatching =
    reloader === null ? () => undefined : watchTls(reloader, config.tlsReloadInterval, logger)
  const rereading = new Reloader({ config, tls: reloader, endorsements: core.endorsements, logger })
  const rounds = setInterval(() => void round(core, logger), ROUND_MS)
  const connections = new ServedConnections(app.server, number => line.tell('closed', [number]))
  return {
    connections,
    metrics: () => metrics.registry.getMetricsAsJSON(),
    reload: (wanted: BrokerConfig) => void rereading.reload(() => wanted),
    close: async (graceMs: number) => {
      isClosing = true
      clearInterval(rounds)
      stopWatching()
      await connections.close(graceMs)
      await app.close()
      await flushCounts(core)
      db.close()
    },
  }
}

/** What each process does for itself, once a minute. */
async function round({ keys, attempts, context }: Core, logger: Logger): Promise<void> {
  try {
    await keys.refresh()
    await attempts.flush('ended')
    await context.counted.flush()
  } catch (error) {
    logger.error({ task: 'desk', failure: describeError(error) }, 'housekeeping failed')
  }
}
