// Secrets over the KBS protocol: guests fetch, administrators put and delete.
// Order of a fetch: who asks, what is asked for, whether a rule allows it, whether it exists. Existence comes last
// and is answered only to a guest that may have the secret: for all others nothing tells a denied from a missing one.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Entry, type EntryType, entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import type { ReleaseDecision } from '../release/decision.ts'
import { formatSecretPath, type SecretPath, secretPath } from '../secret-path.ts'
import type { SecretHead } from '../store/store.ts'
import { untilUnraced } from '../store/unraced.ts'
import { actorOf } from './administrator.ts'
import { type Guest, guestOf } from './guest.ts'
import { encryptToTee, type Jwe } from './jwe.ts'
import type { KbsParts } from './parts.ts'

const PLUGIN = { plugin_name: 'resource' } as const
const PATH = '/resource/:repository/:type/:tag'
/** `trustee-attester` puts a slash before a path that it is given without one, and the client joins with another. */
const ATTESTER_PATH = '/resource//:repository/:type/:tag'

export function registerResource(scope: FastifyInstance, parts: KbsParts): void {
  const { metrics, secrets } = parts.context

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

async function fetchSecret(parts: KbsParts, request: FastifyRequest): Promise<Jwe> {
  const { metrics } = parts.context
  metrics.pluginRequests.inc(PLUGIN)
  const stop = metrics.pluginDuration.startTimer(PLUGIN)
  try {
    const guest = await guestOf(parts, request)
    const path = pathOf(request)
    // A rule or the secret may change while a release is decided: what is on record first, counts.
    return await untilUnraced('conflict', () => release(parts, guest, path))
  } catch (error) {
    metrics.pluginErrors.inc(PLUGIN)
    throw error
  } finally {
    stop()
  }
}

async function release(parts: KbsParts, guest: Guest, path: SecretPath): Promise<Jwe> {
  const { secrets, metrics, store } = parts.context
  const ruleGeneration = await store.documents.generation('rule')
  const head = await secrets.find(path)
  const subject = await parts.subjects.find(guest.attestationId)
  metrics.policyEvaluations.inc()
  const decision = await parts.rules.decide(subject, { ...path, version: head?.version ?? 0 })
  if (decision.reason === 'rule-error') metrics.policyErrors.inc()
  if (!decision.granted) {
    metrics.policyViolations.inc()
    await recordDenial(parts, guest, { path, head, decision })
    throw new BrokerError('release-denied', 'no rule releases this secret to this guest', {
      attestation: guest.attestationId,
    })
  }
  metrics.policyApprovals.inc()
  if (head === null) {
    await recordDenial(parts, guest, { path, head, decision })
    throw new BrokerError('secret-missing', 'there is no such secret')
  }
  const form = guest.version === '0.1.1' ? 'protocol-0.1.1' : 'rfc7516'
  const jwe = await secrets.withPlaintext(path, head.version, plaintext =>
    encryptToTee(guest.teeKey, plaintext, form),
  )
  // The release is on record before anybody can read it.
  const basis = { path, revision: head.revision, ruleGeneration }
  await store.releases.record(decided(parts, guest, { path, head, decision }), basis)
  metrics.resourceReads.inc()
  return jwe
}

interface Decided {
  readonly path: SecretPath
  readonly head: SecretHead | null
  readonly decision: ReleaseDecision
}

async function recordDenial({ context, denials }: KbsParts, guest: Guest, denied: Decided): Promise<void> {
  const record = decided({ context }, guest, denied)
  const { at: _at, actor: _actor, ...details } = record
  const what = JSON.stringify(details)
  if (denials.take(guest.attestationId, what)) {
    try {
      await context.ledger.append(record)
    } catch (error) {
      denials.forget(guest.attestationId, what)
      throw error
    }
    return
  }
  const actor = { attestation: guest.attestationId }
  context.counted.add({ type: 'release.denied', actor, details: { reason: 'further-denials' } })
}

function decided(
  { context }: Pick<KbsParts, 'context'>,
  guest: Guest,
  { path, head, decision }: Decided,
): Entry {
  const granted = decision.granted && head !== null
  const type: EntryType = granted ? 'release.granted' : 'release.denied'
  return entry(
    { type, at: context.now(), actor: { attestation: guest.attestationId } },
    {
      secret: formatSecretPath(path),
      version: head?.version ?? null,
      reason: decision.granted && head === null ? 'secret-missing' : decision.reason,
      rules: decision.rules,
    },
  )
}

function pathOf(request: FastifyRequest): SecretPath {
  const { repository = '', type = '', tag = '' } = request.params as Readonly<Record<string, string>>
  return secretPath(repository, type, tag)
}
