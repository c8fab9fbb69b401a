// A rate limit per client with bounded memory: the generic cell rate algorithm needs one number for each client.
// All of an IPv6 site (a /48) count as 32 clients: whoever has one has 65,536 networks, and would otherwise be as many clients.
// Each process that serves counts for itself: N of them allow N times as much (decision 44).

import { BoundedMap } from '@casemate/evidence'
import { clientOf, siteOf } from './client-address.ts'

/** Clients remembered at least, those that were seen last; at most there are twice as many. */
const REMEMBERED = 10_000

/** As many clients, all that they may, are one site. Hosts give a /64 to each of their customers: these share more than a few. */
const CLIENTS_PER_SITE = 32

export interface ClientLimitOptions {
  /** How many in each window, at an even pace. */
  readonly count: number
  readonly windowMs: number
  /** How many at once; `count` where it is not given. */
  readonly burst?: number
  /** Milliseconds since some start; a clock that nobody sets. */
  readonly elapsedMs: () => number
}

/** A client or its site, and as how many clients it counts. */
interface Share {
  readonly name: string
  readonly clients: number
}

export class ClientLimit {
  readonly #intervalMs: number
  readonly #burst: number
  readonly #windowMs: number
  readonly #elapsedMs: () => number
  /** Per client and site the time at which all it did so far would have been due at an even pace. */
  readonly #due = new BoundedMap<string, number>(2 * REMEMBERED)

  constructor({ count, windowMs, burst = count, elapsedMs }: ClientLimitOptions) {
    this.#intervalMs = windowMs / count
    this.#burst = Math.min(burst, count)
    this.#windowMs = windowMs
    this.#elapsedMs = elapsedMs
  }

  /** 0 where the request may pass, else how long the client should wait, in milliseconds. */
  take(address: string): number {
    const [shares, now] = [sharesOf(address), this.#elapsedMs()]
    const waits = shares.map(share => this.#dueOf(share, now) - now - this.#burstMsOf(share))
    const waitMs = Math.max(...waits)
    if (waitMs > 0) return waitMs
    for (const share of shares) this.#due.set(share.name, this.#dueOf(share, now) + this.#intervalMsOf(share))
    return 0
  }

  /** Counts what has happened already, `times` over; false where that is more than may be. Nobody waits longer than a window. */
  charge(address: string, times: number): boolean {
    const now = this.#elapsedMs()
    const within = sharesOf(address).map(share => {
      const [intervalMs, burstMs] = [this.#intervalMsOf(share), this.#burstMsOf(share)]
      const due = this.#dueOf(share, now) + times * intervalMs
      this.#due.set(share.name, Math.min(due, now + burstMs + this.#windowMs))
      return due - now - burstMs <= intervalMs
    })
    return within.every(Boolean)
  }

  #intervalMsOf({ clients }: Share): number {
    return this.#intervalMs / clients
  }

  #burstMsOf(share: Share): number {
    return (this.#burst * share.clients - 1) * this.#intervalMsOf(share)
  }

  #dueOf({ name }: Share, now: number): number {
    return Math.max(this.#due.get(name) ?? now, now)
  }
}

function sharesOf(address: string): readonly Share[] {
  const [client, site] = [clientOf(address), siteOf(address)]
  const share = { name: client, clients: 1 }
  return site === client ? [share] : [share, { name: site, clients: CLIENTS_PER_SITE }]
}
