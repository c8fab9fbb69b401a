// Node's HTTP server on attested channels: requests come from peers that have proved themselves.
import { createServer, type RequestListener } from 'node:http'
import { type AttestedListener, type ListenOptions, listenAttested } from '../session/listen.ts'
import { HTTP_PROTOCOL, rememberConnection } from './peers.ts'

/** Resolves once it listens; `peerOf(request)` says who asks. @throws {ChannelError} address-unavailable, identity-expired */
export async function createAttestedServer(
  options: Omit<ListenOptions, 'onConnection' | 'protocol'>,
  onRequest: RequestListener,
): Promise<AttestedListener> {
  const http = createServer(onRequest)
  // It never listens itself; told so, it begins to look for requests that take too long.
  http.emit('listening')
  const listener = await listenAttested({
    ...options,
    protocol: HTTP_PROTOCOL,
    onConnection: connection => {
      rememberConnection(connection)
      http.emit('connection', connection.socket)
    },
  })
  return {
    host: listener.host,
    port: listener.port,
    close: async () => {
      http.close()
      await listener.close()
    },
  }
}
