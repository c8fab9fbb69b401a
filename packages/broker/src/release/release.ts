// Where it is decided that a secret is released to a guest, and what goes on record of it. In this order: who asks, whether
// the rules allow it, whether the secret exists. Existence comes last and is told only to a guest that may have the secret:
// for all others nothing tells a denied from a missing one. Every end is on record before the guest learns of it.

import { type Entry, entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import { formatSecretPath, type SecretPath } from '../secret-path.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { ReleaseStore, SecretHead } from '../store/store.ts'
import { untilUnraced } from '../store/unraced.ts'
import type { ReleaseDecision } from './decision.ts'
import type { Denials } from './denials.ts'
import type { ReleaseRules } from './rules.ts'
import type { Subjects } from './subjects.ts'

/** What releases are decided with, and where they are recorded. */
export interface ReleaseParts {
  readonly subjects: Pick<Subjects, 'find'>
  readonly rules: Pick<ReleaseRules, 'decide'>
  readonly secrets: Pick<Secrets, 'find' | 'withPlaintext'>
  readonly denials: Pick<Denials, 'record'>
  readonly store: { readonly releases: ReleaseStore }
  readonly now: () => Date
}

/** An attested guest, as a release sees it. */
export interface Recipient<Encrypted> {
  readonly attestationId: string
  /** To the key that its evidence bound. */
  readonly encrypt: (plaintext: Uint8Array) => Encrypted
}

/**
 * The secret, encrypted to the guest, once the release is on record.
 * @throws {BrokerError} `session-invalid` for an attestation that is not on record, `release-denied`, `secret-missing`,
 * `conflict` where rules or secret change all the time
 */
export function releaseSecret<Encrypted>(
  parts: ReleaseParts,
  guest: Recipient<Encrypted>,
  path: SecretPath,
): Promise<Encrypted> {
  // A rule or the secret may change while a release is decided: what is on record first, counts.
  return untilUnraced('conflict', () => releaseOnce(parts, guest, path))
}

async function releaseOnce<Encrypted>(
  parts: ReleaseParts,
  guest: Recipient<Encrypted>,
  path: SecretPath,
): Promise<Encrypted> {
  const { subjects, rules, secrets, store } = parts
  const head = await secrets.find(path)
  const subject = await subjects.find(guest.attestationId)
  const decision = await rules.decide(subject, { ...path, version: head?.version ?? 0 })
  const outcome = { guest, path, head, decision }

  if (!decision.granted) throw await denied(parts, outcome)
  if (head === null) throw await missing(parts, outcome)

  const encrypted = await secrets.withPlaintext(path, head.version, guest.encrypt)
  const basis = { path, revision: head.revision, ruleGeneration: decision.ruleGeneration }
  await store.releases.record(recordOf(parts, outcome), basis)
  return encrypted
}

interface Outcome {
  readonly guest: Pick<Recipient<unknown>, 'attestationId'>
  readonly path: SecretPath
  readonly head: SecretHead | null
  readonly decision: ReleaseDecision
}

async function denied(parts: ReleaseParts, outcome: Outcome): Promise<BrokerError> {
  const { attestationId } = outcome.guest
  await parts.denials.record(attestationId, recordOf(parts, outcome))
  const message = 'no rule releases this secret to this guest'
  return new BrokerError('release-denied', message, { attestation: attestationId })
}

async function missing(parts: ReleaseParts, outcome: Outcome): Promise<BrokerError> {
  await parts.denials.record(outcome.guest.attestationId, recordOf(parts, outcome))
  return new BrokerError('secret-missing', 'there is no such secret')
}

function recordOf({ now }: ReleaseParts, { guest, path, head, decision }: Outcome): Entry {
  const released = decision.granted && head !== null
  return entry(
    {
      type: released ? 'release.granted' : 'release.denied',
      at: now(),
      actor: { attestation: guest.attestationId },
    },
    {
      secret: formatSecretPath(path),
      version: head?.version ?? null,
      reason: decision.granted && head === null ? 'secret-missing' : decision.reason,
      rules: decision.rules,
    },
  )
}
