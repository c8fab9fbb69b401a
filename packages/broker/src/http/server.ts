// The server below the application: its times, its connections, TLS, and what ends there without becoming a request.

import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { RawServerDefault } from 'fastify'
import { addressOf } from '../client-address.ts'
import type { BrokerConfig } from '../config/settings.ts'
import { type ConnectionLimits, limitConnections, ownListeners } from './connection-limit.ts'
import type { Logger } from './logging.ts'
import { type Admission, type Allowance, chargeSilence } from './stranger-allowance.ts'
import type { TlsMaterial } from './tls.ts'
import { boundUnanswered } from './unanswered.ts'

/** Time for a TLS handshake, and for the head of a request; bodies have `requestTimeout`. */
const HEADERS_TIMEOUT_MS = 10_000

/** A list instead would be copied into a piece of a pool for each connection, which keeps all 64 KiB of the pool as long. */
const ALPN = {
  ALPNCallback: ({ protocols }: { readonly protocols: readonly string[] }) =>
    protocols.find(protocol => protocol === 'http/1.1'),
}

type Handler = NonNullable<Parameters<typeof createHttpServer>[1]>

export interface ServerParts extends Omit<ConnectionLimits, 'admission'> {
  readonly config: ConnectionLimits['config'] &
    Pick<BrokerConfig, 'headerLimit' | 'requestTimeout' | 'idleTimeout'>
  /** Null: plain HTTP. */
  readonly tls: TlsMaterial | null
  readonly logger: Logger
  /** Null: the server does not listen, and is given connections that are admitted already (its event `connection`). */
  readonly admission: Admission | null
  readonly allowance: Allowance
}

export function createServer(parts: ServerParts, handler: Handler): RawServerDefault {
  const { config, tls, logger, allowance, admission, tellClosed } = parts
  const headMs = Math.min(HEADERS_TIMEOUT_MS, config.requestTimeout)
  const options = {
    maxHeaderSize: config.headerLimit,
    requestTimeout: config.requestTimeout,
    headersTimeout: headMs,
    keepAliveTimeout: config.idleTimeout,
    connectionsCheckingInterval: 1000,
  }
  const bounded = boundUnanswered(handler, address => {
    allowance.charge(address, 1)
    tellClosed(address, 'unanswered')
  })
  const server =
    tls === null
      ? createHttpServer(options, bounded)
      : createHttpsServer({ ...options, ...tls, ...ALPN, handshakeTimeout: headMs }, bounded)
  if (admission !== null) limitConnections(server, { config, admission, tellClosed }, ownListeners(server))
  if (tls !== null) chargeSilence(server, allowance)
  // Whether a body is wanted is decided from its head: boundBodies asks for it.
  server.on('checkContinue', bounded)
  // Node would answer what else is expected by itself, uncounted and unlogged.
  server.on('checkExpectation', bounded)
  // Node's own listener would answer in HTTP before there is TLS, and leave the connection open for good.
  server.removeAllListeners('tlsClientError')
  server.on('tlsClientError', (error: Error & { code?: string }, socket: TLSSocket) => {
    // Balancers connect and close, to see whether somebody listens.
    const level = error.code === 'ECONNRESET' ? 'debug' : 'info'
    const what =
      error.code === 'ERR_SSL_HTTP_REQUEST' ? 'plain HTTP, where TLS is served' : 'no TLS handshake'
    logger[level]({ client: addressOf(socket.remoteAddress), code: error.code }, what)
    socket.destroy()
  })
  server.setTimeout(config.idleTimeout)
  return server
}
