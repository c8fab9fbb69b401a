// The end that opens a channel.
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { ChannelError } from '../errors.ts'
import type { ChannelIdentity } from '../identity/identity.ts'
import type { PeerDemands } from '../peer/demands.ts'
import type { AttestedConnection } from './connection.ts'
import { DEFAULT_HANDSHAKE_TIMEOUT_MS, establish } from './establish.ts'
import {
  CHANNEL_PROTOCOL,
  checkSession,
  clientContext,
  DEFAULT_KEY_EXCHANGE,
  KEEP_ALIVE_MS,
  type KeyExchange,
} from './tls.ts'

export interface ConnectOptions {
  readonly host: string
  readonly port: number
  /** Demands on the other side; 'anyone' takes whoever answers. */
  readonly peer: PeerDemands | 'anyone'
  /** Shown to a server that demands it. */
  readonly identity?: ChannelIdentity
  /** Default {@link DEFAULT_KEY_EXCHANGE}. */
  readonly keyExchange?: KeyExchange
  /** Default {@link DEFAULT_HANDSHAKE_TIMEOUT_MS}; connecting counts. */
  readonly handshakeTimeoutMs?: number
  /** Name of what is spoken on the channel (ALPN). Default {@link CHANNEL_PROTOCOL}. */
  readonly protocol?: string
}

/** Resolves once both sides are content with each other. @throws {ChannelError} with the code of what is wrong */
export async function connectAttested(options: ConnectOptions): Promise<AttestedConnection> {
  const { host, port, peer, identity, protocol = CHANNEL_PROTOCOL } = options
  const keyExchange = options.keyExchange ?? DEFAULT_KEY_EXCHANGE
  // Before anything is sent, so that an identity that has ended is an error of this side.
  const credentials = identity?.credentials() ?? null
  const socket = connect({
    host,
    port,
    secureContext: clientContext(credentials),
    ALPNProtocols: [protocol],
    // Nobody signs these certificates: the evidence in them is checked instead, and always.
    rejectUnauthorized: false,
  })
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  return establish(socket, {
    role: 'client',
    identity: identity ?? null,
    peer,
    timeoutMs: options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS,
    secured: async () => {
      await secureConnect(socket)
      checkSession(socket, protocol, keyExchange)
    },
  })
}

async function secureConnect(socket: TLSSocket): Promise<void> {
  const closed = new AbortController()
  const onClose = (): void => closed.abort()
  socket.once('close', onClose)
  try {
    await once(socket, 'secureConnect', { signal: closed.signal })
  } catch (cause) {
    if (!closed.signal.aborted) throw cause
    throw new ChannelError('connection-lost', 'the peer ended the connection during the handshake', { cause })
  } finally {
    socket.off('close', onClose)
  }
}
