// Clients served by processes of their own: this one listens, admits connections and hands each to a desk. All of a client
// go to the same desk, so that what it may do is counted in one place; a trusted proxy's, who is many clients, to the one
// that has the fewest.

import { createHash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { clientOf } from '../../client-address.ts'
import { tellerOfClosed } from '../../http/closed-connections.ts'
import { limitConnections } from '../../http/connection-limit.ts'
import type { Logger } from '../../http/logging.ts'
import { Networks } from '../../http/networks.ts'
import { strangerAllowance } from '../../http/stranger-allowance.ts'
import type { Front, FrontParts } from '../front.ts'
import { listenOn } from '../listening.ts'
import type { Opening } from './desk.ts'
import { mostConnections } from './most-connections.ts'
import { PlacedConnection } from './placed-connection.ts'
import type { DeskProcess } from './processes.ts'
import { RemoteDesk } from './remote-desk.ts'

/** Where this fails, no desk writes any more: whoever called it gives up the lock of the data directory then. */
export async function openDesks(parts: FrontParts, processes: readonly DeskProcess[]): Promise<Front> {
  const { config, core, shared, health } = parts
  const { logger } = core.context
  const allowance = strangerAllowance(config, core.elapsedMs)
  const failed = Promise.withResolvers<Error>()
  const forget = async (version: number) => {
    await Promise.all(desks.map(desk => desk.line.call('forget', version)))
  }
  const keeper = { shared, health, logger, allowance, forget }
  const desks = processes.map(one => new RemoteDesk(one, keeper, failed.resolve))
  try {
    await Promise.all(desks.map((desk, at) => desk.line.call('open', openingOf(parts, at + 1))))
  } catch (error) {
    await Promise.all(desks.map(desk => desk.drop()))
    throw error
  }
  const connectionLimit = connectionLimitOf(config, logger)
  const door = createServer({ pauseOnConnect: true, noDelay: true })
  const proxies = new Networks(config.trustedProxies)
  const tellClosed = tellerOfClosed(logger, core.elapsedMs)
  limitConnections(
    door,
    { config: { ...config, connectionLimit }, admission: allowance, tellClosed },
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

function connectionLimitOf({ connectionLimit }: FrontParts['config'], logger: Logger): number {
  const most = mostConnections()
  if (most >= connectionLimit) return connectionLimit
  logger.warn(
    { connectionLimit, most },
    'fewer connections are admitted than are set: so few files may be open',
  )
  return most
}

function openingOf({ config, deps, shared }: FrontParts, number: number): Opening {
  const { ledger, ledgerKey, files } = shared
  return {
    config: portable(config),
    ledger: { origin: ledger.origin, key: ledgerKey, files },
    number,
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
