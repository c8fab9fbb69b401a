// Attempts without a valid token, in the ledger without letting anyone flood it: the first of a client and reason is
// recorded at once, further ones within the window are counted and recorded together when it ends.
// The table of clients is bounded; beyond that all others count as one. Each process counts for itself, and records its own counts.

import { type Actor, entry } from '../entry.ts'
import type { BrokerErrorCode } from '../errors.ts'
import type { JsonObject } from '../json.ts'

/** One entry per client, reason and minute at most, besides the first. */
const WINDOW_MS = 60_000

/** Clients told apart at one time. */
const MAX_CLIENTS = 256

const OTHERS = 'others'

export interface Attempt {
  readonly client: string
  readonly code: BrokerErrorCode
  /** Method and route pattern. */
  readonly route: string
  /** Id of a token whose secret was right but whose time is over; null where nobody was recognised. */
  readonly token: string | null
}

interface Window {
  readonly attempt: Attempt
  readonly endsAt: number
  further: number
}

export class RefusedAttempts {
  readonly #record: (entry: JsonObject) => Promise<unknown>
  readonly #now: () => Date
  readonly #elapsedMs: () => number
  readonly #windows = new Map<string, Window>()

  /** @param elapsedMs what windows are measured with; `now` is what entries say */
  constructor(record: (entry: JsonObject) => Promise<unknown>, now: () => Date, elapsedMs: () => number) {
    this.#record = record
    this.#now = now
    this.#elapsedMs = elapsedMs
  }

  /** Resolves once a first attempt is durable in the ledger; at once for a further one. */
  async note(attempt: Attempt): Promise<void> {
    const now = this.#elapsedMs()
    const known = this.#windows.get(key(attempt))
    const client = known !== undefined || this.#windows.size < MAX_CLIENTS ? attempt.client : OTHERS
    const window = known ?? this.#windows.get(key({ ...attempt, client }))
    if (window !== undefined && window.endsAt > now) {
      window.further++
      return
    }
    const counted = { ...attempt, client }
    this.#windows.set(key(counted), { attempt: counted, endsAt: now + WINDOW_MS, further: 0 })
    if (window !== undefined && window.further > 0) await this.#append(window.attempt, window.further)
    await this.#append(counted, 1)
  }

  /** Records the counts of windows that have ended; of all with `all`, at shutdown. */
  async flush(which: 'ended' | 'all'): Promise<void> {
    const now = this.#elapsedMs()
    for (const window of this.#windows.values()) {
      if (which === 'all' || window.endsAt <= now) await this.#close(window)
    }
  }

  async #close(window: Window): Promise<void> {
    this.#windows.delete(key(window.attempt))
    if (window.further > 0) await this.#append(window.attempt, window.further)
  }

  async #append(attempt: Attempt, count: number): Promise<void> {
    const actor: Actor = { system: 'authentication' }
    await this.#record(entry({ type: 'admin.refused', at: this.#now(), actor }, { ...attempt, count }))
  }
}

function key({ client, code, token }: Attempt): string {
  return `${client} ${code} ${token ?? ''}`
}
