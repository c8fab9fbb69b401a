// Who may call what: every route says so in its config, and this is the one place that enforces it. Runs before the
// body is read. Each use of an administrator's token is in the ledger before the answer leaves; a change's own entry
// counts as its use.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { RefusedAttempts } from '../admin/refused-attempts.ts'
import type { Administrators } from '../admin/tokens.ts'
import { clientOf } from '../client-address.ts'
import type { ClientLimit } from '../client-limit.ts'
import { type Actor, entry } from '../entry.ts'
import { BrokerError, errorBody } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { type Administrator, neededRole, type Role, roleAllows } from '../roles.ts'
import { routeOf } from './answered.ts'
import { logRefusal, sayWhenToRetry, toBrokerError } from './error-answer.ts'
import type { Metrics } from './metrics.ts'
import type { LimitName } from './route-config.ts'

export interface AccessParts {
  readonly administrators: Administrators
  readonly attempts: RefusedAttempts
  readonly limits: Readonly<Record<LimitName, ClientLimit>>
  readonly metrics: Metrics
  readonly now: () => Date
  readonly record: (entry: JsonObject) => Promise<unknown>
}

export function enforceAccess(app: FastifyInstance, parts: AccessParts): void {
  app.decorateRequest('administrator', null)
  app.addHook('onRoute', route => {
    if (route.config?.access !== undefined) return
    throw new TypeError(`route ${String(route.method)} ${route.url} does not declare who may call it`)
  })
  // Guests wait for nothing in either hook, and go on at once: a promise would cost each of their requests some turns.
  app.addHook('onRequest', (request, _reply, done): Promise<void> | void => {
    const { access, limited } = request.routeOptions.config
    if (limited !== undefined) checkLimit(parts.limits[limited], request)
    const needed = neededRole(access)
    return needed === null ? done() : admit(parts, request, needed)
  })
  app.addHook('onSend', (request, reply, payload, done): Promise<unknown> | void => {
    const { administrator } = request
    if (administrator === null) return done(null, payload)
    return recordUse(parts, administrator, reply).then(
      () => payload,
      (error: unknown) => withhold(error, request, reply),
    )
  })
}

/** Sets whose request it is before the role is looked at, so that one that is refused is in the ledger as a use. */
async function admit(parts: AccessParts, request: FastifyRequest, needed: Role): Promise<void> {
  request.administrator = await authenticate(parts, request)
  checkRole(request.administrator, needed)
}

/** Who makes a change, as the ledger names it. */
export function actorOf({ administrator }: FastifyRequest): Actor {
  if (administrator !== null) return { ...administrator }
  // Only where a route was registered without a role: refuse rather than act for nobody.
  throw new BrokerError('internal', 'a change without an administrator')
}

function checkLimit(limit: ClientLimit, request: FastifyRequest): void {
  const retryAfterMs = limit.take(request.ip)
  if (retryAfterMs === 0) return
  throw new BrokerError('rate-limited', 'too many requests from this client', {
    hint: 'wait as long as Retry-After says',
    retryAfterMs,
  })
}

async function authenticate(parts: AccessParts, request: FastifyRequest): Promise<Administrator> {
  try {
    return await parts.administrators.authenticate(bearerToken(request))
  } catch (error) {
    if (error instanceof BrokerError) {
      parts.metrics.adminFailures.inc({ code: error.code })
      const { code, detail } = error
      const token = code === 'token-expired' ? (detail.got ?? null) : null
      await parts.attempts.note({ client: clientOf(request.ip), code, route: routeOf(request), token })
    }
    throw error
  }
}

function bearerToken(request: FastifyRequest): string {
  const [, token] = /^Bearer +([^ ]+)$/i.exec(request.headers.authorization ?? '') ?? []
  if (token !== undefined) return token
  throw new BrokerError('token-missing', 'an administrator’s token is needed', {
    expected: 'Authorization: Bearer cmt_…',
  })
}

function checkRole(administrator: Administrator, needed: Role): void {
  if (roleAllows(administrator.role, needed)) return
  throw new BrokerError('role-insufficient', `this needs the role ${needed}`, {
    expected: needed,
    got: administrator.role,
  })
}

async function recordUse(
  parts: AccessParts,
  administrator: Administrator,
  { request, statusCode: status }: FastifyReply,
): Promise<void> {
  if (request.routeOptions.config.records === true && status < 300) return
  const head = { type: 'admin.used', at: parts.now(), actor: { ...administrator } } as const
  await parts.record(entry(head, { route: routeOf(request), status }))
}

/** In place of an answer whose use could not be recorded. */
function withhold(error: unknown, request: FastifyRequest, reply: FastifyReply): string {
  const answer = toBrokerError(error)
  logRefusal(request, answer)
  reply.removeHeader('etag')
  sayWhenToRetry(reply, answer)
  reply.code(answer.status).type('application/json')
  return JSON.stringify(errorBody(answer))
}
