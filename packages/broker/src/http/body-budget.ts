// Bytes of all request bodies that are held: those that still arrive and those that are worked on. Where they are too
// many, a body that still arrives is cut: the oldest one of the site that holds the most, of those that take long before
// others. A guest's arrives within milliseconds, so what goes is a slow sender's or a flood's, whoever comes next.

import { BrokerError } from '../errors.ts'

/** When another try is worth it: what was cut made room. */
const RETRY_AFTER_MS = 1000

/** Longer than a body takes that is being sent. */
const SLOW_MS = 1000

/** One body while it is held. */
export interface HeldBody {
  /** Whose it is: sites are compared, not clients, as one of them may have as many clients as it likes. */
  readonly site: string
  /** Ends it, if it still arrives. */
  readonly cut: (error: BrokerError) => void
}

interface Held {
  bytes: number
  isArriving: boolean
  readonly begunMs: number
}

export class BodyBudget {
  readonly #limit: number
  /** In the order in which they began. */
  readonly #held = new Map<HeldBody, Held>()
  readonly #bySite = new Map<string, number>()
  readonly #elapsedMs: () => number
  #total = 0

  /** `elapsedMs` gives milliseconds since some start. */
  constructor(limit: number, elapsedMs: () => number) {
    this.#limit = limit
    this.#elapsedMs = elapsedMs
  }

  /** Bytes that are held now. */
  get total(): number {
    return this.#total
  }

  begin(body: HeldBody): void {
    this.#held.set(body, { bytes: 0, isArriving: true, begunMs: this.#elapsedMs() })
  }

  /** More of `body` has arrived. May cut it, or another. */
  add(body: HeldBody, bytes: number): void {
    const held = this.#held.get(body)
    if (held === undefined) return
    held.bytes += bytes
    this.#count(body.site, bytes)
    while (this.#total > this.#limit) {
      const victim = this.#slowest() ?? this.#oldestOfMost(() => true) ?? body
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
    this.#count(body.site, -held.bytes)
  }

  #count(site: string, bytes: number): void {
    this.#total += bytes
    const left = (this.#bySite.get(site) ?? 0) + bytes
    if (left > 0) this.#bySite.set(site, left)
    else this.#bySite.delete(site)
  }

  #slowest(): HeldBody | null {
    const now = this.#elapsedMs()
    return this.#oldestOfMost(({ begunMs }) => now - begunMs >= SLOW_MS)
  }

  #oldestOfMost(isMeant: (held: Held) => boolean): HeldBody | null {
    let found: HeldBody | null = null
    let most = 0
    for (const [body, held] of this.#held) {
      const ofSite = this.#bySite.get(body.site) ?? 0
      if (!held.isArriving || held.bytes === 0 || ofSite <= most || !isMeant(held)) continue
      found = body
      most = ofSite
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
