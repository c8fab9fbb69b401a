// Which denials are recorded in full. Names of secrets are the guest's choice, and each would be a ledger entry for
// good: of every attestation the first different denials are recorded, repetitions and further ones counted.
// What was granted is never counted here: each release is an entry of its own. Each process knows what it recorded.

import { hash } from 'node:crypto'
import { BoundedMap } from '@casemate/evidence'
import type { CountedEntries } from '../counted-entries.ts'
import type { Entry } from '../entry.ts'

/** Different denials of one attestation that are recorded; a workload asks for a handful of secrets. */
export const MAX_RECORDED_DENIALS = 32

/** Attestations kept in mind, those of the last denials; one that is forgotten starts anew. */
const MAX_ATTESTATIONS = 4096

/** Where denials go. */
export interface DenialRecords {
  /** Appends an entry that no change of the store goes with. */
  readonly append: (entry: Entry) => Promise<unknown>
  readonly counted: Pick<CountedEntries, 'add'>
}

export class Denials {
  readonly #records: DenialRecords
  /** By attestation: digests, as rules may have much to say. */
  readonly #recorded = new BoundedMap<string, Set<string>>(MAX_ATTESTATIONS)

  constructor(records: DenialRecords) {
    this.#records = records
  }

  /** In full, or as a count. */
  async record(attestationId: string, denial: Entry): Promise<void> {
    const { at: _at, actor: _actor, ...details } = denial
    const what = hash('sha256', JSON.stringify(details), 'base64')
    if (!this.#take(attestationId, what)) {
      const actor = { attestation: attestationId }
      this.#records.counted.add({ type: 'release.denied', actor, details: { reason: 'further-denials' } })
      return
    }
    try {
      await this.#records.append(denial)
    } catch (error) {
      this.#recorded.get(attestationId)?.delete(what)
      throw error
    }
  }

  /** Whether this denial is recorded in full; `what` is all that tells it from another. */
  #take(attestationId: string, what: string): boolean {
    const recorded = this.#of(attestationId)
    if (recorded.has(what) || recorded.size >= MAX_RECORDED_DENIALS) return false
    recorded.add(what)
    return true
  }

  #of(attestationId: string): Set<string> {
    const found = this.#recorded.get(attestationId)
    if (found !== undefined) return found
    const made = new Set<string>()
    this.#recorded.set(attestationId, made)
    return made
  }
}
