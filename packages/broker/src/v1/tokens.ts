// /v1/tokens: administrators' tokens. The text of one is in the answer that made it and nowhere else.

import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { BrokerError } from '../errors.ts'
import { actorOf } from '../http/access.ts'
import { describeRoute } from '../openapi/route-schema.ts'
import { ROLES } from '../roles.ts'
import type { StoredToken } from '../store/store.ts'
import { listRoute } from './list-route.ts'
import type { V1Parts } from './parts.ts'
import { Deleted, IdPath, LedgerIndex, TIME_PATTERN, Time, TypedTime } from './schemas.ts'

const RoleName = Type.Enum([...ROLES])

export const Token = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    role: RoleName,
    createdAt: Time,
    expiresAt: Time,
  },
  { title: 'Token' },
)

export const Created = Type.Object(
  {
    ...Token.properties,
    token: Type.String({ description: 'shown this once' }),
    ledgerIndex: LedgerIndex,
  },
  { title: 'TokenCreated' },
)

export const NewToken = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: '^[^\\x00-\\x1f\\x7f]+$',
      description: 'text without control characters',
    }),
    role: RoleName,
    expiresAt: TypedTime,
  },
  { additionalProperties: false, title: 'NewToken' },
)

const CURSOR = /^[0-9a-v]{16}$/

export function tokenRoutes(app: FastifyInstance, parts: Pick<V1Parts, 'administrators' | 'store'>): void {
  const { administrators, store } = parts
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  listRoute(app, {
    path: '/v1/tokens',
    access: 'admin',
    group: 'tokens',
    summary: 'List tokens',
    operationId: 'listTokens',
    cursor: CURSOR,
    read: page => store.tokens.list(page),
    shown: Token,
    show: showToken,
  })
  typed.post(
    '/v1/tokens',
    {
      config: { access: 'admin', records: true },
      schema: describeRoute('tokens', 'Create a token', {
        operationId: 'createToken',
        body: NewToken,
        response: { 201: Created },
        errors: ['time-invalid', 'conflict'],
      }),
    },
    async (request, reply) => {
      const { name, role, expiresAt } = request.body
      const wanted = { name, role, expiresAt: readTime(expiresAt) }
      const { token, stored, index } = await administrators.create(wanted, actorOf(request))
      reply.code(201)
      return { ...showToken(stored), token, ledgerIndex: index }
    },
  )
  typed.delete(
    '/v1/tokens/:id',
    {
      config: { access: 'admin', records: true },
      schema: describeRoute('tokens', 'Revoke a token', {
        operationId: 'revokeToken',
        params: IdPath,
        response: { 200: Deleted },
        errors: ['token-unknown', 'last-admin', 'conflict'],
      }),
    },
    async request => {
      const { index } = await administrators.delete(request.params.id, actorOf(request))
      return { ledgerIndex: index }
    },
  )
}

/** RFC 3339 with a zone; a day that does not exist is not moved to the next one. */
export function readTime(text: string): Date {
  const time = new RegExp(TIME_PATTERN).test(text) ? new Date(text) : null
  if (time !== null && !Number.isNaN(time.getTime())) return time
  throw new BrokerError('time-invalid', 'it is not a time', {
    expected: '2026-11-22T12:00:00Z',
    got: text.slice(0, 40),
  })
}

function showToken({ id, name, role, createdAt, expiresAt }: StoredToken) {
  return { id, name, role, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() }
}
