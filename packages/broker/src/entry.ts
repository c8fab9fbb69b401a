// Entries of the ledger: one per decision or change, saying what, when and who did it.
// Entries are read by auditors and can be erased; the public log holds salted commitments to them only.

import type { JsonObject } from './json.ts'
import type { Role } from './roles.ts'

/** Who caused an entry. */
export type Actor =
  | { readonly token: string; readonly name: string; readonly role: Role }
  | { readonly attestation: string }
  | { readonly system: string }

/** Every type of entry that the broker writes. */
export type EntryType =
  | 'broker.started'
  | 'broker.reloaded'
  | 'admin.used'
  | 'admin.refused'
  | 'token.created'
  | 'token.deleted'
  | 'secret.put'
  | 'secret.deleted'
  | 'secret.version-deleted'
  | 'policy.put'
  | 'policy.deleted'
  | 'reference.put'
  | 'reference.deleted'
  | 'rule.put'
  | 'rule.deleted'
  | 'key.created'
  | 'key.rotated'
  | 'key.retired'
  | 'kek.rotated'
  | 'kek.rewrapped'
  | 'kek.retired'
  | 'kek.protected'
  | 'clock.stepped'
  | 'evidence.purged'
  | 'refusals.purged'
  | 'ledger.erased'
  | 'ledger.restored'
  | 'ledger.lost'
  | 'ledger.begun-anew'
  | 'attestation.accepted'
  | 'attestation.refused'
  | 'release.granted'
  | 'release.denied'

/** One ledger entry; `at` is RFC 3339, the rest depends on the type. */
export interface Entry extends JsonObject {
  readonly type: EntryType
  readonly at: string
  readonly actor: { readonly [key: string]: string }
}

/** What an entry is made from: its type, who and when. */
export interface EntryHead {
  readonly type: EntryType
  readonly at: Date
  readonly actor: Actor
}

export function entry(head: EntryHead, details: JsonObject = {}): Entry {
  return { ...details, type: head.type, at: head.at.toISOString(), actor: { ...head.actor } }
}
