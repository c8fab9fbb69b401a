// The end that accepts channels.
import type { AddressInfo, Socket } from 'node:net'
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls'
import { asChannelError, ChannelError } from '../errors.ts'
import type { ChannelIdentity } from '../identity/identity.ts'
import type { PeerDemands } from '../peer/demands.ts'
import type { AttestedConnection } from './connection.ts'
import { DEFAULT_HANDSHAKE_TIMEOUT_MS, establish } from './establish.ts'
import { listening } from './listening.ts'
import { type Place, Places } from './places.ts'
import {
  CHANNEL_PROTOCOL,
  checkSession,
  DEFAULT_KEY_EXCHANGE,
  KEEP_ALIVE_MS,
  type KeyExchange,
  serverGroups,
  tlsFailure,
  tlsSettings,
} from './tls.ts'

/** Connections at once: each keeps some 100 KiB. */
export const DEFAULT_MAX_CONNECTIONS = 1_024

export interface ListenOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly identity: ChannelIdentity
  /** Demands on clients; 'anyone' asks them for nothing. */
  readonly peers: PeerDemands | 'anyone'
  readonly onConnection: (connection: AttestedConnection) => void
  /** Told of whoever did not get in; never throws. */
  readonly onRefused?: (error: ChannelError) => void
  /** Default {@link DEFAULT_KEY_EXCHANGE}. */
  readonly keyExchange?: KeyExchange
  /** Default {@link DEFAULT_HANDSHAKE_TIMEOUT_MS}, for TLS and for what follows it. */
  readonly handshakeTimeoutMs?: number
  /** Name of what is spoken on the channel (ALPN). Default {@link CHANNEL_PROTOCOL}. */
  readonly protocol?: string
  /**
   * Default {@link DEFAULT_MAX_CONNECTIONS}. Of more, handshakes that are not done make room, else the newest is dropped;
   * `onRefused` is told (connections-full).
   */
  readonly maxConnections?: number
}

export interface AttestedListener {
  readonly host: string
  readonly port: number
  /** Takes no more connections, and ends those that there are. */
  readonly close: () => Promise<void>
}

/** Resolves once it listens. @throws {ChannelError} address-unavailable, identity-expired */
export async function listenAttested(options: ListenOptions): Promise<AttestedListener> {
  const { host, port, identity } = options
  const server = makeServer(options)
  const places = placesOf(server, options)
  server.on('secureConnection', (socket: TLSSocket) => {
    const place = places.secured(socket)
    if (place === null) socket.destroy()
    else void accept(socket, options, { place, places })
  })
  const stopRenewing = identity.onRenewed(({ certificatePem: cert, keyPem: key }) =>
    server.setSecureContext({ ...settingsOf(options), cert, key }),
  )
  await listening(server, { host, port })
  // A connection that could not be accepted, for want of descriptors or memory: the others go on.
  server.on('error', error => options.onRefused?.(asChannelError(error)))
  const address = server.address() as AddressInfo
  return {
    host: address.address,
    port: address.port,
    close: () => {
      stopRenewing()
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      places.end()
      return closed
    },
  }
}

/** Before the server's own listener, which would set up TLS for whoever has no place. */
function placesOf(server: Server, { maxConnections = DEFAULT_MAX_CONNECTIONS, onRefused }: ListenOptions) {
  const places = new Places(maxConnections, error => onRefused?.(error))
  const listeners = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (places.take(socket)) for (const listener of listeners) listener.call(server, socket)
  })
  return places
}

function settingsOf({ keyExchange = DEFAULT_KEY_EXCHANGE }: ListenOptions): SecureContextOptions {
  return tlsSettings(serverGroups(keyExchange))
}

function makeServer(options: ListenOptions): Server {
  const { identity, peers, protocol = CHANNEL_PROTOCOL, onRefused } = options
  const { certificatePem: cert, keyPem: key } = identity.credentials()
  const server = createServer({
    ...settingsOf(options),
    cert,
    key,
    // A list would be copied into a pool for each connection, which keeps all 64 KiB of that as long as the connection.
    ALPNCallback: ({ protocols }) => protocols.find(offered => offered === protocol),
    requestCert: peers !== 'anyone',
    // Nobody signs these certificates: the evidence in them is checked instead, and always.
    rejectUnauthorized: false,
    handshakeTimeout: options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  })
  server.on('tlsClientError', (error, socket) => {
    // Node says that a handshake takes too long, and leaves the connection open.
    socket.destroy()
    onRefused?.(tlsFailure(error))
  })
  return server
}

async function accept(
  socket: TLSSocket,
  options: ListenOptions,
  { place, places }: { readonly place: Place; readonly places: Places },
): Promise<void> {
  const { identity, peers, protocol = CHANNEL_PROTOCOL, onConnection, onRefused } = options
  let connection: AttestedConnection
  try {
    connection = await establish(socket, {
      role: 'server',
      identity,
      peer: peers,
      timeoutMs: options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS,
      // This end cannot ask which group was agreed on: only those that are accepted were offered.
      secured: async () => checkSession(socket, protocol, null),
    })
  } catch (error) {
    // Of one whose place was taken away that was said.
    if (!place.isTakenAway) onRefused?.(asChannelError(error))
    return
  }
  places.settle(place)
  onConnection(connection)
}
