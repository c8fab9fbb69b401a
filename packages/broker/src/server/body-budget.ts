// Bytes of all request bodies that are held: those that still arrive and those that are worked on. Where they are too
// many, a body that still arrives is cut: the oldest one of the client that holds the most. A guest's arrives within
// milliseconds, so what goes is a slow sender's or a flood's, whoever comes next.

import { BrokerError } from '../errors.ts'

/** When another try is worth it: what was cut made room. */
const RETRY_AFTER_MS = 1000

/** One body while it is held. */
export interface HeldBody {
  readonly client: string
  /** Ends it, if it still arrives. */
  readonly cut: (error: BrokerError) => void
}

interface Held {
  bytes: number
  isArriving: boolean
}

export class BodyBudget {
  readonly #limit: number
  /** In the order in which they began. */
  readonly #held = new Map<HeldBody, Held>()
  readonly #byClient = new Map<string, number>()
  #total = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Bytes that are held now. */
  get total(): number {
    return this.#total
  }

  begin(body: HeldBody): void {
    this.#held.set(body, { bytes: 0, isArriving: true })
  }

  /** More of `body` has arrived. May cut it, or another. */
  add(body: HeldBody, bytes: number): void {
    const held = this.#held.get(body)
    if (held === undefined) return
    held.bytes += bytes
    this.#count(body.client, bytes)
    while (this.#total > this.#limit) {
      const victim = this.#victim() ?? body
      this.release(victim)
      victim.cut(overloaded())
      if (victim === body) return
    }
  }

  /** All of it is here; it is held until it is released, and no longer cut. */
  arrived(body: HeldBody): void {
    const held = this.#held.get(body)
    if (held !== undefined) held.isArriving = false
  }

  /** May be called more than once. */
  release(body: HeldBody): void {
    const held = this.#held.get(body)
    if (held === undefined) return
    this.#held.delete(body)
    this.#count(body.client, -held.bytes)
  }

  #count(client: string, bytes: number): void {
    this.#total += bytes
    const left = (this.#byClient.get(client) ?? 0) + bytes
    if (left > 0) this.#byClient.set(client, left)
    else this.#byClient.delete(client)
  }

  #victim(): HeldBody | null {
    let found: HeldBody | null = null
    let most = 0
    for (const [body, { isArriving, bytes }] of this.#held) {
      const ofClient = this.#byClient.get(body.client) ?? 0
      if (!isArriving || bytes === 0 || ofClient <= most) continue
      found = body
      most = ofClient
    }
    return found
  }
}

function overloaded(): BrokerError {
  return new BrokerError('overloaded', 'more is being sent than can be held now', {
    hint: 'wait as long as Retry-After says',
    retryAfterMs: RETRY_AFTER_MS,
  })
}
