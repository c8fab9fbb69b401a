// How many requests unverified evidence may cause: anybody can send a report with a random chip id, and each one would
// be a question to the vendor, who answers too many of them with silence for everybody. One budget for each client,
// and one for all of them together; the generic cell rate algorithm, with one number for each.

import { BoundedMap } from '../bounded-map.ts'

/** Of one client: at once, and in each minute after that. New machines ask once each, and are then in the cache. */
export const REQUESTS_PER_CLIENT_AND_MINUTE = 30
/** Of all clients together. */
export const REQUESTS_PER_MINUTE = 120
/** Clients told apart at one time. */
const MAX_CLIENTS = 10_000
const MINUTE_MS = 60_000

export class RequestBudget {
  /** By client the time at which all its requests so far would have been due at an even pace. */
  readonly #clients = new BoundedMap<string, number>(MAX_CLIENTS)
  #all = 0

  /** 0 where a request may be made, and is counted; else the milliseconds until one may. */
  take(client: string, now: number): number {
    const own = rate(this.#clients.get(client) ?? 0, REQUESTS_PER_CLIENT_AND_MINUTE, now)
    const all = rate(this.#all, REQUESTS_PER_MINUTE, now)
    const waitMs = Math.max(own.waitMs, all.waitMs)
    if (waitMs > 0) return waitMs
    this.#clients.set(client, own.next)
    this.#all = all.next
    return 0
  }
}

function rate(
  due: number,
  perMinute: number,
  now: number,
): { readonly waitMs: number; readonly next: number } {
  const intervalMs = MINUTE_MS / perMinute
  // Never due later than a minute ahead: a due time that is was noted before the clock was set back.
  const from = due > now + MINUTE_MS ? now : Math.max(due, now)
  return { waitMs: Math.max(0, Math.ceil(from - now - (MINUTE_MS - intervalMs))), next: from + intervalMs }
}
