// The HTTP application: what every request meets, each in a file of its own. Routes are registered on it by
// src/lifecycle/apps.ts.

import { randomUUID } from 'node:crypto'
import { type FastifyInstance, fastify, LogController } from 'fastify'
import type { BrokerConfig } from '../config/settings.ts'
import { type AccessParts, enforceAccess } from './access.ts'
import { logAnswer, logAnswers } from './answered.ts'
import { boundBodies } from './bodies.ts'
import { answerBrokenRequest } from './broken-request.ts'
import { tellerOfClosed } from './closed-connections.ts'
import { answerError, type ProtocolErrors } from './error-answer.ts'
import { refuseUnknownRoutes } from './known-routes.ts'
import type { Logger } from './logging.ts'
import { measureRequests } from './measures.ts'
import { refuseAmbiguity } from './one-meaning.ts'
import { RequestLog } from './request-log.ts'
import { createServer } from './server.ts'
import { type Admission, type Allowance, chargeStrangers } from './stranger-allowance.ts'
import { ADMINISTRATOR_JSON, checkJson } from './strict-json.ts'
import type { TlsMaterial } from './tls.ts'
import { compileValidator } from './validation.ts'

/** The longest segment of a path: `SEGMENT_PATTERN` has 128, percent-encoding may triple that. */
const MAX_PARAMETER_LENGTH = 512

export interface AppParts extends AccessParts {
  /** Milliseconds since some start; a clock that nobody sets. */
  readonly elapsedMs: () => number
  readonly config: BrokerConfig
  readonly logger: Logger
  /** What a client may cost that has shown nothing. */
  readonly allowance: Allowance
  /** Null: connections are admitted before they are handed to the server. */
  readonly admission: Admission | null
  /** Null: plain HTTP. */
  readonly tls: TlsMaterial | null
  readonly protocol: ProtocolErrors
}

export function createApp(parts: AppParts): FastifyInstance {
  const { config, logger, tls, protocol, allowance, admission } = parts
  const tellClosed = tellerOfClosed(logger, parts.elapsedMs)
  const app: FastifyInstance = fastify({
    serverFactory: handler =>
      createServer({ config, logger, tls, allowance, admission, tellClosed }, handler),
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
  measureRequests(app, parts.metrics)
  logAnswers(app, logger)
  return app
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
