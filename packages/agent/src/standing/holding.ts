// The yield of one attestation: a session, the lease on it, and the secrets fetched so far. All of it is in memory only,
// bounded, and gone with the session, so that whoever asks after a renewal gets what the broker says then.

import type { AttestedSession } from '@casemate/client'
import type { Lease } from './lease.ts'

/** A fetched secret is kept up to these bounds; beyond them it is fetched again each time. */
const MAX_KEPT = 256
const MAX_KEPT_BYTES = 8 * 1024 * 1024

export class Holding {
  readonly session: AttestedSession
  readonly lease: Lease
  readonly #kept = new Map<string, Uint8Array>()
  readonly #fetching = new Map<string, Promise<Uint8Array>>()
  #keptBytes = 0
  #dropped = false

  constructor(session: AttestedSession, lease: Lease) {
    this.session = session
    this.lease = lease
  }

  /** A copy of `repository/type/tag`, fetched once. @throws {BrokerRefusal} @throws {Unavailable} */
  async getSecret(path: string): Promise<Uint8Array> {
    const kept = this.#kept.get(path)
    if (kept !== undefined) return kept.slice()
    const fetching = this.#fetching.get(path) ?? this.#fetch(path)
    this.#fetching.set(path, fetching)
    return (await fetching).slice()
  }

  async #fetch(path: string): Promise<Uint8Array> {
    try {
      const secret = await this.session.getSecret(path)
      const fits = this.#kept.size < MAX_KEPT && this.#keptBytes + secret.length <= MAX_KEPT_BYTES
      if (fits && !this.#dropped) {
        // A copy: `drop` must not reach one that somebody is about to be given.
        this.#kept.set(path, secret.slice())
        this.#keptBytes += secret.length
      }
      return secret
    } finally {
      this.#fetching.delete(path)
    }
  }

  /** Overwrites what is kept. LIMIT: copies that the runtime made are the collector's. */
  drop(): void {
    this.#dropped = true
    for (const secret of this.#kept.values()) secret.fill(0)
    this.#kept.clear()
  }
}
