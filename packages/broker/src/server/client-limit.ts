// A rate limit per client with bounded memory: the generic cell rate algorithm needs one number for each client.
// IPv6 clients count by /64, which is what one of them is given.

import { isIPv6 } from 'node:net'

/** Clients remembered at one time; the one longest unseen goes first. */
const MAX_CLIENTS = 10_000

export interface ClientLimitOptions {
  /** How many at once, and how many in each window after that, at an even pace. */
  readonly count: number
  readonly windowMs: number
  readonly now: () => Date
}

export class ClientLimit {
  readonly #intervalMs: number
  readonly #burstMs: number
  readonly #now: () => Date
  /** Per client the time at which all it did so far would have been due at an even pace. */
  readonly #due = new Map<string, number>()

  constructor({ count, windowMs, now }: ClientLimitOptions) {
    this.#intervalMs = windowMs / count
    this.#burstMs = windowMs - this.#intervalMs
    this.#now = now
  }

  /** 0 where the request may pass, else how long the client should wait, in milliseconds. */
  take(address: string): number {
    const client = clientOf(address)
    const now = this.#now().getTime()
    const due = Math.max(this.#due.get(client) ?? now, now)
    const waitMs = due - now - this.#burstMs
    if (waitMs > 0) return waitMs
    this.#due.delete(client)
    this.#due.set(client, due + this.#intervalMs)
    if (this.#due.size > MAX_CLIENTS) this.#forgetOldest()
    return 0
  }

  #forgetOldest(): void {
    const [oldest] = this.#due.keys()
    if (oldest !== undefined) this.#due.delete(oldest)
  }
}

/** The /64 of an IPv6 address, the whole of an IPv4 one, also where it is written as IPv6. */
export function clientOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.toLowerCase().replace(/%.*$/, '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  const groups = [...left, ...zeros, ...right].slice(0, 4)
  return `${groups.map(group => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}
