// The record of attestations that came to no verdict: a good session, and then a body, key, device evidence or init-data
// that was not acceptable, or endorsements that could not be had. Bounded as refusals are; nothing that was sent is kept.

import type { Kind } from '@casemate/evidence'
import type { BrokerContext } from '../context.ts'
import { entry } from '../entry.ts'
import type { BrokerError, BrokerErrorCode } from '../errors.ts'
import { attestationId } from './attestation-id.ts'
import { clip } from './clip.ts'

/** Recorded where they were decided, with evidence and claims. */
const RECORDED: readonly BrokerErrorCode[] = ['evidence-refused', 'appraisal-refused']

const MAX_TEXT_CHARS = 200

/** One attempt in a session that was good. */
export interface UnreadAttestation {
  readonly client: string
  readonly kind: Kind
  readonly protocolVersion: string
  readonly error: BrokerError
}

/** Writes nothing where a verdict was recorded, or where the broker itself failed: its log has that. */
export async function recordUnread(context: BrokerContext, unread: UnreadAttestation): Promise<void> {
  const { client, kind, error } = unread
  const { code } = error
  if (RECORDED.includes(code) || code === 'internal' || code === 'unavailable') return
  if (!context.refusals.take(client)) {
    const details = { kind, code, client }
    context.counted.add({ type: 'attestation.refused', actor: { system: 'attestation' }, details })
    return
  }
  await recordOne(context, unread)
}

/** An attempt whose session could not be answered: a replayed, late or made-up one, none, or too many. Counted only. */
export function countSessionless(
  context: BrokerContext,
  client: string,
  { code, status }: BrokerError,
): void {
  if (status >= 500) return
  const details = { code, client }
  context.counted.add({ type: 'attestation.refused', actor: { system: 'attestation' }, details })
}

async function recordOne(context: BrokerContext, unread: UnreadAttestation): Promise<void> {
  const { kind, protocolVersion, error } = unread
  const { code, message, detail } = error
  const { expected = null, got = null, hint = null } = detail
  const at = context.now()
  const id = attestationId(at)
  const refusal = clip({ code, message, expected, got, hint }, MAX_TEXT_CHARS)
  const nothing = { steps: [], claims: null, result: null, validUntil: null }
  const session = { protocolVersion }
  const explanation = { verdict: 'refused', code, refusal, ...nothing, session } as const
  await context.store.attestations.insert(
    { id, at, verdict: 'refused', kind, code, explanation, evidence: null },
    entry({ type: 'attestation.refused', at, actor: { attestation: id } }, { kind, code, refusal }),
  )
}
