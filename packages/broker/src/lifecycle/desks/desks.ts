// Clients served by threads of their own: this one listens, admits connections and hands each to a desk. All of a client
// go to the same desk, so that what it may do is counted in one place; a trusted proxy's, who is many clients, to the one
// that has the fewest.

import { createHash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { clientOf } from '../../client-address.ts'
import { tellerOfClosed } from '../../http/closed-connections.ts'
import { limitConnections } from '../../http/connection-limit.ts'
import { Networks } from '../../http/networks.ts'
import { strangerAllowance } from '../../http/stranger-allowance.ts'
import type { Front, FrontParts } from '../front.ts'
import { listenOn } from '../listening.ts'
import { DATABASE_FILE } from '../state.ts'
import type { Opening } from './desk.ts'
import { PlacedConnection } from './placed-connection.ts'
import { RemoteDesk } from './remote-desk.ts'
import type { Thread } from './thread.ts'

/** Whoever started the threads ends them where this fails. */
export async function openDesks(parts: FrontParts, threads: readonly Thread[]): Promise<Front> {
  const { config, core, shared, health } = parts
  const { logger } = core.context
  const allowance = strangerAllowance(config, core.elapsedMs)
  const failed = Promise.withResolvers<Error>()
  const writer = { shared, health, logger, allowance }
  const desks = threads.map(thread => new RemoteDesk(thread, writer, failed.resolve))
  await Promise.all(desks.map(desk => desk.line.call('open', openingOf(parts))))
  const door = createServer({ pauseOnConnect: true, noDelay: true })
  const proxies = new Networks(config.trustedProxies)
  const tellClosed = tellerOfClosed(logger, core.elapsedMs)
  limitConnections(
    door,
    { config, admission: allowance, tellClosed },
    {
      place: socket => new PlacedConnection(deskFor(socket, desks, proxies), socket.remoteAddress),
      serve: (socket, placed) => placed.handOver(socket),
    },
  )
  return {
    apps: [],
    failed: failed.promise,
    listen: () => listenOn(door, config, logger),
    metrics: () => Promise.all(desks.map(desk => desk.line.call('metrics'))),
    reload: async wanted => {
      // One that has ended is told of by `failed`.
      await Promise.allSettled(desks.map(desk => desk.line.call('reload', portable(wanted))))
    },
    close: async graceMs => {
      door.close()
      await Promise.all(desks.map(desk => desk.close(graceMs)))
    },
  }
}

function openingOf({ config, deps, shared }: FrontParts): Opening {
  const { ledger, ledgerKey } = shared
  return {
    config: portable(config),
    database: join(config.dataDir, DATABASE_FILE),
    ledger: { origin: ledger.origin, verifierKey: ledger.verifierKey, key: ledgerKey },
    anchors: deps.anchors,
    endorsements: deps.endorsements,
  }
}

/** Desks open no key file. */
function portable(config: FrontParts['config']): FrontParts['config'] {
  return { ...config, kekPassphrase: null }
}

function deskFor(
  { remoteAddress = '' }: Socket,
  desks: readonly RemoteDesk[],
  proxies: Networks,
): RemoteDesk {
  const place = proxies.has(remoteAddress) ? fewest(desks) : numberOf(clientOf(remoteAddress)) % desks.length
  const desk = desks[place]
  if (desk === undefined) throw new TypeError('there is no desk')
  return desk
}

function fewest(desks: readonly RemoteDesk[]): number {
  const counts = desks.map(({ size }) => size)
  return counts.indexOf(Math.min(...counts))
}

function numberOf(client: string): number {
  return createHash('sha256').update(client).digest().readUInt32BE()
}
