// An error as the KBS protocol answers it. Also the server's, for requests under /kbs/ that reach no route.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { logRefusal, type ProtocolErrors, sayWhenToRetry, toBrokerError } from '../http/error-answer.ts'
import { kbsAnswer } from './errors.ts'

export function answerKbsError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toBrokerError(error)
  logRefusal(request, known)
  sayWhenToRetry(reply, known)
  const { status, body } = kbsAnswer(known)
  return reply.code(status).type('application/json').send(JSON.stringify(body))
}

/** For the server, of which a request may reach no route. */
export const KBS_PROTOCOL_ERRORS: ProtocolErrors = {
  prefix: '/kbs/',
  answer: answerKbsError,
  bodyOf: error => kbsAnswer(error).body,
}
