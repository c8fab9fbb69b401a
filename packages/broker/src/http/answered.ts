// One log line for each request: who asked what, and how it ended. By route pattern and code, never by URL, header or body.
// Probes that find all well are logged at debug, as they would be most of the log.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { addressOf } from '../client-address.ts'
import type { BrokerError } from '../errors.ts'
import type { Logger } from './logging.ts'

/** Call before any route is registered. */
export function logAnswers(app: FastifyInstance, logger: Logger): void {
  app.decorateRequest('refusal', null)
  app.decorateRequest('attestation', null)
  app.addHook('onResponse', (request, reply, done) => {
    logAnswer(logger, request, reply)
    done()
  })
}

/** Of a request that no hook sees, too: one whose URL is none. */
export function logAnswer(logger: Logger, request: FastifyRequest, reply: FastifyReply): void {
  const { statusCode: status } = reply
  const line = {
    reqId: request.id,
    client: addressOf(request.ip),
    route: routeOf(request),
    status,
    ms: Math.round(reply.elapsedTime),
    ...whoAsked(request),
    ...whyNot(request),
  }
  const isQuiet = request.routeOptions.config.probe === true && status < 400
  logger[isQuiet ? 'debug' : 'info'](line, 'answered')
}

/** For every error that is sent. */
export function noteRefusal(request: FastifyRequest, error: BrokerError, reason?: string): void {
  request.refusal = { error, ...(reason === undefined ? {} : { reason }) }
}

function whoAsked({ administrator, attestation, refusal }: FastifyRequest): object {
  // Undefined where Fastify itself made the request.
  if (administrator !== null && administrator !== undefined) {
    const { token, name, role } = administrator
    return { actor: { id: token, name, role } }
  }
  // Its secret was right, or its id would not be told.
  const { code, detail } = refusal?.error ?? {}
  if (code === 'token-expired' && detail?.got !== undefined) return { actor: { id: detail.got } }
  const id = attestation ?? detail?.attestation
  return id === undefined ? {} : { attestation: id }
}

function whyNot({ refusal }: FastifyRequest): object {
  if (refusal === null || refusal === undefined) return {}
  const { error, reason } = refusal
  return { code: error.code, ...(reason === undefined ? {} : { reason }) }
}

/** Method and route pattern: says what was asked, not of what. */
export function routeOf(request: FastifyRequest): string {
  return `${request.method} ${request.routeOptions.url ?? '(none)'}`
}
