// Node's HTTP server on attested channels: requests come from peers that have proved themselves.
import { createServer, type RequestListener, type ServerOptions } from 'node:http'
import { type AttestedListener, type ListenOptions, listenAttested } from '../session/listen.ts'
import { HTTP_PROTOCOL, rememberConnection } from './peers.ts'

export interface AttestedServerOptions extends Omit<ListenOptions, 'onConnection' | 'protocol'> {
  /** How long requests may take, how large their heads may be. Default Node's. */
  readonly http?: Pick<
    ServerOptions,
    'connectionsCheckingInterval' | 'headersTimeout' | 'keepAliveTimeout' | 'maxHeaderSize' | 'requestTimeout'
  >
}

/** Resolves once it listens; `peerOf(request)` says who asks. @throws {ChannelError} address-unavailable, identity-expired */
export async function createAttestedServer(
  { http: settings = {}, ...options }: AttestedServerOptions,
  onRequest: RequestListener,
): Promise<AttestedListener> {
  const http = createServer(settings, onRequest)
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
