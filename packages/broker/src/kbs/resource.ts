// Secrets over the KBS protocol: guests fetch, administrators put and delete. Who gets what is decided in
// src/release/release.ts.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { BrokerError } from '../errors.ts'
import { actorOf } from '../http/access.ts'
import { type Recipient, releaseSecret } from '../release/release.ts'
import { type SecretPath, secretPath } from '../secret-path.ts'
import { type Guest, type GuestParts, guestOf } from './guest.ts'
import { encryptToTee, type Jwe } from './jwe.ts'
import type { KbsParts } from './parts.ts'

const PLUGIN = { plugin_name: 'resource' } as const
const PATH = '/resource/:repository/:type/:tag'
/** `trustee-attester` puts a slash before a path that it is given without one, and the client joins with another. */
const ATTESTER_PATH = '/resource//:repository/:type/:tag'

type ResourceParts = GuestParts & Pick<KbsParts, 'metrics' | 'secrets' | 'release'>

export function registerResource(scope: FastifyInstance, parts: ResourceParts): void {
  const { metrics, secrets } = parts

  for (const path of [PATH, ATTESTER_PATH]) {
    scope.get(path, { config: { access: 'guest' } }, request => fetchSecret(parts, request))
  }

  scope.post(PATH, { config: { access: 'writer', records: true } }, async (request, reply) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    await secrets.put(pathOf(request), body, { actor: actorOf(request), expected: 'any' })
    metrics.resourceWrites.inc()
    return reply.send()
  })

  scope.delete(PATH, { config: { access: 'writer', records: true } }, async (request, reply) => {
    await secrets.delete(pathOf(request), { actor: actorOf(request), expected: 'any' })
    metrics.resourceDeletes.inc()
    return reply.send()
  })

  // Whatever else is under resource/ names none.
  scope.get('/resource/*', { config: { access: 'public' } }, () => {
    throw new BrokerError('name-invalid', 'a resource is repository/type/tag')
  })
}

async function fetchSecret(parts: ResourceParts, request: FastifyRequest): Promise<Jwe> {
  const { metrics, release } = parts
  metrics.pluginRequests.inc(PLUGIN)
  const stop = metrics.pluginDuration.startTimer(PLUGIN)
  try {
    const guest = await guestOf(parts, request)
    const jwe = await releaseSecret(release, recipientOf(guest), pathOf(request))
    metrics.resourceReads.inc()
    return jwe
  } catch (error) {
    metrics.pluginErrors.inc(PLUGIN)
    throw error
  } finally {
    stop()
  }
}

function recipientOf({ attestationId, teeKey, version }: Guest): Recipient<Jwe> {
  const form = version === '0.1.1' ? 'protocol-0.1.1' : 'rfc7516'
  return { attestationId, encrypt: plaintext => encryptToTee(teeKey, plaintext, form) }
}

function pathOf(request: FastifyRequest): SecretPath {
  const { repository = '', type = '', tag = '' } = request.params as Readonly<Record<string, string>>
  return secretPath(repository, type, tag)
}
