// The HTTP application: limits, ids, access, errors, security headers, measures. Routes are registered on it by
// src/lifecycle/apps.ts; everything here applies to all of them.

import { randomUUID } from 'node:crypto'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type FastifyInstance, fastify, LogController, type RawServerDefault } from 'fastify'
import { addressOf } from '../client-address.ts'
import type { BrokerConfig } from '../config/settings.ts'
import { errorBody } from '../errors.ts'
import { type AccessParts, enforceAccess } from './access.ts'
import { logAnswer, logAnswers } from './answered.ts'
import { boundBodies } from './bodies.ts'
import { tellerOfClosed } from './closed-connections.ts'
import { type ConnectionLimits, limitConnections } from './connection-limit.ts'
import { answerError, type ProtocolErrors, toBrokerError } from './error-answer.ts'
import { refuseUnknownRoutes } from './known-routes.ts'
import type { Logger } from './logging.ts'
import { refuseAmbiguity } from './one-meaning.ts'
import { RequestLog } from './request-log.ts'
import { chargeSilence, chargeStrangers, strangerAllowance } from './stranger-allowance.ts'
import { ADMINISTRATOR_JSON, checkJson } from './strict-json.ts'
import type { TlsMaterial } from './tls.ts'
import { boundUnanswered } from './unanswered.ts'
import { compileValidator } from './validation.ts'

/** The longest segment of a path: `SEGMENT_PATTERN` has 128, percent-encoding may triple that. */
const MAX_PARAMETER_LENGTH = 512

/** Time for a TLS handshake, and for the head of a request; bodies have `requestTimeout`. */
const HEADERS_TIMEOUT_MS = 10_000

/** A list instead would be copied into a piece of a pool for each connection, which keeps all 64 KiB of the pool as long. */
const ALPN = {
  ALPNCallback: ({ protocols }: { readonly protocols: readonly string[] }) =>
    protocols.find(protocol => protocol === 'http/1.1'),
}

export interface AppParts extends AccessParts {
  /** Milliseconds since some start; a clock that nobody sets. */
  readonly elapsedMs: () => number
  readonly config: BrokerConfig
  readonly logger: Logger
  /** Null: plain HTTP. */
  readonly tls: TlsMaterial | null
  readonly protocol: ProtocolErrors
}

export function createApp(parts: AppParts): FastifyInstance {
  const { config, logger, tls, protocol } = parts
  const allowance = strangerAllowance(config, parts.elapsedMs)
  const tellClosed = tellerOfClosed(logger, parts.elapsedMs)
  const app: FastifyInstance = fastify({
    serverFactory: handler => createServer(parts, { allowance, tellClosed }, handler),
    loggerInstance: logger,
    childLoggerFactory: (parent, bindings) => new RequestLog(parent, bindings),
    // Its lines have URLs in them; ours are in answered.ts and error-answer.ts.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    bodyLimit: config.bodyLimit,
    trustProxy: config.trustedProxies.length === 0 ? false : [...config.trustedProxies],
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, parts),
    // The URL is not even routable here, so that the scope of the protocol's routes cannot answer for itself.
    frameworkErrors: (error, request, reply) => {
      const answer = request.url.startsWith(protocol.prefix) ? protocol.answer : answerError
      answer(error, request, reply)
      logAnswer(logger, request, reply)
    },
  })
  app.setValidatorCompiler(compileValidator)
  app.setErrorHandler(answerError)
  readJsonStrictly(app)
  addHeaders(app, tls !== null)
  refuseAmbiguity(app)
  refuseUnknownRoutes(app)
  enforceAccess(app, parts)
  chargeStrangers(app, allowance)
  boundBodies(app, { ...parts, tellClosed })
  addMeasures(app, parts)
  logAnswers(app, logger)
  return app
}

type Handler = NonNullable<Parameters<typeof createHttpServer>[1]>

type ConnectionParts = Pick<ConnectionLimits, 'allowance' | 'tellClosed'>

function createServer(
  parts: AppParts,
  { allowance, tellClosed }: ConnectionParts,
  handler: Handler,
): RawServerDefault {
  const { config, tls, logger } = parts
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
  limitConnections(server, { config, allowance, tellClosed })
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

interface ParserError extends Error {
  readonly code?: string
  /** A buffer: what was read last. */
  readonly rawPacket?: unknown
}

/** RFC 8446, section 5.1: a handshake record of any version. */
function isTls({ rawPacket }: ParserError): boolean {
  return Buffer.isBuffer(rawPacket) && rawPacket[0] === 0x16 && rawPacket[1] === 0x03
}

/** What is not HTTP, too large or too slow to become a request still gets a JSON body. */
function answerBrokenRequest(
  error: ParserError,
  socket: Socket,
  { logger, protocol }: Pick<AppParts, 'logger' | 'protocol'>,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const answer = toBrokerError(Object.assign(error, { statusCode: 400 }))
  const line = { client: addressOf(socket.remoteAddress), status: answer.status, code: answer.code }
  const what = isTls(error) ? 'TLS, where plain HTTP is served' : 'what did not become a request'
  logger.info(line, `answered ${what}`)
  // Nobody knows yet whether a guest or an administrator asked: each finds the members that it reads.
  const body = JSON.stringify({ ...errorBody(answer), ...protocol.bodyOf(answer) })
  const head = [
    `HTTP/1.1 ${answer.status} ${answer.code}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function readJsonStrictly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    checkJson(text, ADMINISTRATOR_JSON, 'the body')
    void parse(request, text, done)
  })
}

/** Nothing here is a page or may be framed, sniffed or cached; routes that may be cached say so themselves. */
function addHeaders(app: FastifyInstance, secure: boolean): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers({
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
    if (secure) reply.header('strict-transport-security', 'max-age=31536000')
    done()
  })
}

function addMeasures(app: FastifyInstance, { metrics }: AppParts): void {
  app.server.on('connection', (socket: Socket) => {
    metrics.httpConnections.inc()
    socket.once('close', () => metrics.httpConnections.dec())
  })
  app.addHook('onResponse', (request, reply, done) => {
    const labels = {
      method: request.method,
      route: request.routeOptions.url ?? '(none)',
      status: String(reply.statusCode),
    }
    const seconds = reply.elapsedTime / 1000
    metrics.httpRequests.inc(labels)
    metrics.httpDuration.observe(labels, seconds)
    metrics.httpRequestSize.observe(labels, sizeOf(request.headers['content-length']))
    metrics.httpResponseSize.observe(labels, sizeOf(reply.getHeader('content-length')))
    done()
  })
}

function sizeOf(contentLength: unknown): number {
  const size = Number(contentLength ?? 0)
  return Number.isFinite(size) ? size : 0
}
