// Liveness: the process answers. Readiness: it can decide and record, and is not on its way out; else the body says what
// cannot be done. Both answer HEAD, which balancers send.

import { Type } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { BrokerError, errorBody } from '../errors.ts'
import { noteRefusal } from '../http/answered.ts'
import { ErrorAnswer } from '../openapi/error-answer.ts'
import { describeRoute } from '../openapi/route-schema.ts'
import { type Unready, unready } from './readiness.ts'

export interface HealthParts {
  /** Null where everything can be done. */
  readonly check: () => Promise<Unready | null>
  readonly isClosing: () => boolean
}

const LIVE = describeRoute('health', 'Whether the process answers', {
  operationId: 'getHealth',
  response: {},
  described: { 200: Type.Object({ status: Type.Literal('ok') }, { title: 'Live' }) },
})

const READY = describeRoute('health', 'Whether it can decide and record', {
  operationId: 'getReadiness',
  response: {},
  described: {
    200: Type.Object({ status: Type.Literal('ready') }, { title: 'Ready' }),
    503: Type.Object(
      { status: Type.Literal('unready'), reason: Type.String(), ...ErrorAnswer.properties },
      { title: 'Unready', description: 'What cannot be done.' },
    ),
  },
})

export function healthRoutes(app: FastifyInstance, { check, isClosing }: HealthParts): void {
  const options = { config: { access: 'public', probe: true }, exposeHeadRoute: true } as const
  app.get('/healthz', { ...options, schema: LIVE }, async () => ({ status: 'ok' }))
  app.get('/readyz', { ...options, schema: READY }, async (request, reply) => {
    const found = isClosing() ? unready('shutting-down') : await check()
    if (found === null) return { status: 'ready' }
    const { code, message, hint } = found
    const error = new BrokerError('unavailable', message, { hint })
    noteRefusal(request, error, code)
    return reply.code(error.status).send({ status: 'unready', reason: code, ...errorBody(error) })
  })
}
