// The end that accepts channels.
import type { AddressInfo, Socket } from 'node:net'
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls'
import { asChannelError, ChannelError } from '../errors.ts'
import type { ChannelIdentity } from '../identity/identity.ts'
import type { PeerDemands } from '../peer/demands.ts'
import type { AttestedConnection } from './connection.ts'
import { endSoon } from './end.ts'
import { DEFAULT_HANDSHAKE_TIMEOUT_MS, establish } from './establish.ts'
import { listening } from './listening.ts'
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
  /** Default {@link DEFAULT_MAX_CONNECTIONS}; more are dropped. */
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
  const open = new OpenSockets(server)
  server.on('secureConnection', (socket: TLSSocket) => void accept(socket, options))
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
      open.end()
      return closed
    },
  }
}

/** A server that closes waits for its sockets, also for those whose handshake has only begun. */
class OpenSockets {
  readonly #tcp = new Map<string, Socket>()
  readonly #tls = new Set<TLSSocket>()

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      const name = nameOf(socket)
      this.#tcp.set(name, socket)
      socket.once('close', () => this.#tcp.delete(name))
    })
    server.on('secureConnection', (socket: TLSSocket) => {
      // From here on TLS has the socket below it; ended from below, it would lose what is still to be sent.
      this.#tcp.delete(nameOf(socket))
      this.#tls.add(socket)
      socket.once('close', () => this.#tls.delete(socket))
    })
  }

  end(): void {
    for (const socket of this.#tcp.values()) socket.destroy()
    for (const socket of this.#tls) endSoon(socket)
  }
}

function nameOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`
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
  server.maxConnections = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS
  server.on('tlsClientError', (error, socket) => {
    // Node says that a handshake takes too long, and leaves the connection open.
    socket.destroy()
    onRefused?.(tlsFailure(error))
  })
  return server
}

async function accept(socket: TLSSocket, options: ListenOptions): Promise<void> {
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
    onRefused?.(asChannelError(error))
    return
  }
  onConnection(connection)
}
