// Any error to an answer of the table: ours as they are, the framework's by what they mean, everything else
// `internal` with nothing of it shown.

import { LedgerError } from '@casemate/ledger'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { BrokerError, type BrokerErrorCode, errorBody } from '../errors.ts'
import { noteRefusal } from './answered.ts'
import { fromLedgerError } from './ledger-failure.ts'
import { describeError } from './logging.ts'

/** How a protocol with error bodies of its own answers requests that reach none of its routes. */
export interface ProtocolErrors {
  /** What its paths begin with. */
  readonly prefix: string
  readonly answer: (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply
  readonly bodyOf: (error: BrokerError) => object
}

/** Fastify's codes and HTTP parser's codes that a client can cause. */
const CLIENT_ERRORS: Readonly<Record<string, readonly [BrokerErrorCode, message: string, hint?: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [
    'request-too-large',
    'the body is larger than the limit',
    'bodyLimit is the most that any route reads; a challenge has 1 KiB',
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'media-type-unsupported',
    'the content type is not one that this route reads',
    'documents are application/json (curl --json FILE), the bytes of a secret application/octet-stream',
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['request-malformed', 'the body is empty, want JSON'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['request-malformed', 'the body is not valid JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['request-malformed', 'the body is not as long as its head says'],
  FST_ERR_BAD_URL: ['request-malformed', 'the path is not a valid URL'],
  FST_ERR_MAX_PARAM_LENGTH: ['request-malformed', 'a segment of the path is too long'],
  FST_ERR_ASYNC_CONSTRAINT: ['request-malformed', 'the request is not acceptable'],
  FST_ERR_NOT_FOUND: ['route-missing', 'there is no such route'],
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'the head of the request is larger than the limit'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'the request did not arrive in time'],
}

/** What an error means to the client; never leaks an unexpected one. */
export function toBrokerError(error: unknown): BrokerError {
  if (error instanceof BrokerError) return error
  if (error instanceof LedgerError) return fromLedgerError(error) ?? internal(error)
  const { code: cause, statusCode } = error as Partial<FastifyError>
  const known = cause === undefined ? undefined : CLIENT_ERRORS[cause]
  if (known !== undefined) {
    const [code, message, hint] = known
    return new BrokerError(code, message, { cause: error, hint })
  }
  if (statusCode === 400)
    return new BrokerError('request-malformed', 'the request is not acceptable', { cause: error })
  return internal(error)
}

function internal(cause: unknown): BrokerError {
  return new BrokerError('internal', 'an internal error; its place is in the log under this request’s id', {
    cause,
  })
}

/** For every error that is sent: its code goes with the line about the request, and the broker's own fault into one more. */
export function logRefusal(request: FastifyRequest, error: BrokerError): void {
  noteRefusal(request, error)
  // A flood's own bodies: told once a minute for each client, as a line for each would be a flood of its own.
  if (error.status < 500 || error.code === 'overloaded') return
  request.log.error({ code: error.code, failure: describeError(error.cause ?? error) }, 'request failed')
}

/** `Retry-After` where it is known when another try is worth it: whole seconds, at least one. */
export function sayWhenToRetry(reply: FastifyReply, { detail }: BrokerError): void {
  const { retryAfterMs } = detail
  if (retryAfterMs !== undefined)
    reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))))
}

/** The error handler of everything but the KBS wire, which has a body of its own. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = toBrokerError(error)
  logRefusal(request, answer)
  sayWhenToRetry(reply, answer)
  if (answer.status === 401) reply.header('www-authenticate', 'Bearer')
  return reply.code(answer.status).type('application/json').send(errorBody(answer))
}
