// The record of attestations that came to no verdict: a good session, and then a body, key, device evidence or init-data
// that was not acceptable, endorsements that could not be had, or a fault of the broker's own. Bounded as refusals are;
// nothing that was sent is kept.

import type { Kind } from '@casemate/evidence'
import { entry } from '../entry.ts'
import type { BrokerError } from '../errors.ts'
import type { Challenge } from '../store/store.ts'
import { attestationId } from './attestation-id.ts'
import { clip } from './clip.ts'
import { type AttestationRecords, countRefusal, RecordedRefusal } from './record.ts'

const MAX_TEXT_CHARS = 200

/** Where they are recorded, and when. */
export interface UnreadRecords extends AttestationRecords {
  readonly now: () => Date
}

/** One attempt in a session that was good. */
export interface UnreadAttestation {
  readonly client: string
  readonly challenge: Challenge | null
  readonly kind: Kind
  readonly protocolVersion: string
  readonly error: BrokerError
}

/**
 * Writes nothing where a verdict was recorded. What the ledger or the disk did not take is tried once more, as a refusal:
 * it may take that, and a broker that cannot record at all says so by the error of this attempt.
 * @returns the id to look it up by; null where nothing was written, or it was only counted
 */
export async function recordUnread(
  records: UnreadRecords,
  unread: UnreadAttestation,
): Promise<string | null> {
  const { client, kind, error } = unread
  if (error instanceof RecordedRefusal) return null
  if (records.refusals.take(client)) return recordOne(records, unread)
  countRefusal(records, { kind, code: error.code, client })
  return null
}

/** An attempt whose session could not be answered: a replayed, late or made-up one, none, or too many. Counted only. */
export function countSessionless(
  records: Pick<UnreadRecords, 'counted'>,
  client: string,
  { code, status }: BrokerError,
): void {
  if (status >= 500) return
  countRefusal(records, { code, client })
}

async function recordOne({ store, now }: UnreadRecords, unread: UnreadAttestation): Promise<string> {
  const { client, kind, protocolVersion, error } = unread
  const { code, message, detail } = error
  const { expected = null, got = null, hint = null } = detail
  const at = now()
  const id = attestationId(at)
  const refusal = clip({ code, message, expected, got, hint }, MAX_TEXT_CHARS)
  const nothing = { steps: [], claims: null, result: null, validUntil: null }
  const session = { client, protocolVersion }
  const explanation = { verdict: 'refused', code, refusal, ...nothing, session } as const
  await store.attestations.insert(
    { id, at, verdict: 'refused', kind, code, explanation, evidence: null },
    entry({ type: 'attestation.refused', at, actor: { attestation: id } }, { kind, code, refusal }),
    { challenge: unread.challenge, generations: null },
  )
  return id
}
