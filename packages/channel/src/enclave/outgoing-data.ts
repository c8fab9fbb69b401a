// The data connection of one session on the client's end.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { ChannelError } from '../errors.ts'
import { KEEP_ALIVE_MS } from '../session/tls.ts'
import type { DataOffer } from './wire.ts'

export interface DataConnectOptions extends DataOffer {
  readonly host: string
  readonly timeoutMs: number
}

/** Resolves once the ticket is on its way. @throws {ChannelError} connect-failed */
export async function connectData(options: DataConnectOptions): Promise<Socket> {
  const { host, port, ticket, timeoutMs } = options
  const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) })
  } catch (cause) {
    socket.destroy()
    throw new ChannelError('connect-failed', `no data connection to ${host}:${port}`, {
      hint: 'the port for data has to be reachable as well',
      cause,
    })
  }
  // Whatever ends it is told by `close`.
  socket.on('error', () => undefined)
  // Nothing is said here; what comes is dropped, so that the end is seen.
  socket.resume()
  socket.write(ticket)
  return socket
}
