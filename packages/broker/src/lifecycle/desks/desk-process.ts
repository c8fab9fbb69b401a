// What runs in the process of a desk: the methods that the process may call that admits connections, and the clocks of the
// machine. It ends with that process, and not by a signal that a terminal or a supervisor sends to both.

import type { Socket } from 'node:net'
import type { BrokerConfig } from '../../config/settings.ts'
import { type Desk, type Opening, openDesk } from './desk.ts'
import type { Keeper } from './keeper.ts'
import { Line } from './line.ts'

export type DeskMethods = typeof methods

if (process.send === undefined) throw new TypeError('a desk is a process of a broker')
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.on('disconnect', () => process.exit())
// Known at once, where the end of the line is only heard of in the next turn.
const keeper = process.ppid
const own = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
  isLeft: () => process.ppid !== keeper,
}

const methods = {
  open: async (opening: Opening) => {
    desk = await openDesk(opening, { line, ...own })
  },
  /** Serves a connection, which is told to be closed by its number. */
  serve: (socket: Socket | undefined, connection: number) => opened().connections.serve(socket, connection),
  end: (connection: number) => opened().connections.end(connection),
  /** Answered as long as it does not stand still. */
  look: () => undefined,
  /** A version of the key-encryption key that was retired. */
  forget: (version: number) => opened().forget(version),
  metrics: () => opened().metrics(),
  reload: (config: BrokerConfig) => opened().reload(config),
  close: (graceMs: number) => opened().close(graceMs),
}
const line = new Line<Keeper>(
  {
    listen: listener => void process.on('message', (message, handle) => listener(message, handle as Socket)),
    send: (message, _connection, onSent) =>
      void process.send?.(message, undefined, undefined, () => onSent?.()),
  },
  methods,
)
let desk: Desk | null = null

function opened(): Desk {
  if (desk === null) throw new TypeError('the desk is not open yet')
  return desk
}
