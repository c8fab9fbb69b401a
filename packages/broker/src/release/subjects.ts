// Accepted attestations as release rules see them. What was just attested is kept for the fetches that follow, so
// that they do not read it back; an attestation never changes, so nothing kept can be stale.

import { BoundedMap } from '@casemate/evidence'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { AttestationStore } from '../store/store.ts'
import type { ReleaseSubject } from './decision.ts'
import { subjectOf } from './expression.ts'

/** Attestations kept, of about 10 KB each. */
const MAX_KEPT = 1024

export class Subjects {
  readonly #store: AttestationStore
  readonly #kept = new BoundedMap<string, ReleaseSubject>(MAX_KEPT)

  constructor(store: AttestationStore) {
    this.#store = store
  }

  /** Keeps the explanation of an accepted attestation. */
  keep(attestationId: string, explanation: JsonObject): ReleaseSubject {
    const subject = subjectOf(explanation)
    this.#kept.set(attestationId, subject)
    return subject
  }

  /** @throws {BrokerError} `session-invalid` where there is no such attestation, or it was refused */
  async find(attestationId: string): Promise<ReleaseSubject> {
    const kept = this.#kept.get(attestationId)
    if (kept !== undefined) return kept
    const stored = await this.#store.find(attestationId)
    if (stored?.verdict !== 'accepted') {
      throw new BrokerError('session-invalid', 'its attestation is not on record; attest again')
    }
    return this.keep(attestationId, stored.explanation)
  }
}
