// What runs in the thread of a desk: the methods that the thread may call that writes, and the clocks of the machine.

import type { Socket } from 'node:net'
import { parentPort } from 'node:worker_threads'
import type { BrokerConfig } from '../../config/settings.ts'
import { type Desk, type Opening, openDesk } from './desk.ts'
import { Line } from './line.ts'
import type { Writer } from './writer.ts'

export type DeskMethods = typeof methods

if (parentPort === null) throw new TypeError('a desk is a thread of a broker')
const methods = {
  open: async (opening: Opening) => {
    desk = await openDesk(opening, { line, now: () => new Date(), elapsedMs: () => performance.now() })
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
