// Which refusals are recorded in full. Refused attestations cost a guest nothing, and each would be a row and a ledger
// entry for good: of a client that is refused all the time, and of all clients together, the first are recorded with
// explanation and evidence, and further ones are counted by their code. Each process that serves counts for itself.

import { ClientLimit } from '../client-limit.ts'

/** Of one client: enough to see what is wrong with a fleet behind one address. */
export const REFUSALS_PER_CLIENT_AND_HOUR = 60

/** Of all clients together. */
export const REFUSALS_PER_HOUR = 3600

const HOUR_MS = 3_600_000

const EVERYBODY = 'everybody'

export class RefusalLimit {
  readonly #client: ClientLimit
  readonly #all: ClientLimit

  constructor(elapsedMs: () => number) {
    this.#client = new ClientLimit({ count: REFUSALS_PER_CLIENT_AND_HOUR, windowMs: HOUR_MS, elapsedMs })
    this.#all = new ClientLimit({ count: REFUSALS_PER_HOUR, windowMs: HOUR_MS, elapsedMs })
  }

  /** Whether one more refusal of `client` is recorded in full. */
  take(client: string): boolean {
    return this.#client.take(client) === 0 && this.#all.take(EVERYBODY) === 0
  }
}
