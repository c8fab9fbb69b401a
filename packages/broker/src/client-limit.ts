// A rate limit per client with bounded memory: the generic cell rate algorithm needs one number for each client.
// IPv6 clients count by /64, which is what one of them is given, and all of a /48 together as many times more: whoever
// has a site of 65,536 of them would otherwise be as many clients.

import { isIPv4, isIPv6 } from 'node:net'

/** Clients remembered at one time; the one longest unseen goes first. */
const MAX_CLIENTS = 10_000

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

/** What counts, and how much of it is as much as one of a client's. */
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
  readonly #due = new Map<string, number>()

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
    for (const share of shares)
      this.#remember(share.name, this.#dueOf(share, now) + this.#intervalMsOf(share))
    return 0
  }

  /** Counts what has happened already, `times` over; false where that is more than may be. Nobody waits longer than a window. */
  charge(address: string, times: number): boolean {
    const now = this.#elapsedMs()
    const within = sharesOf(address).map(share => {
      const [intervalMs, burstMs] = [this.#intervalMsOf(share), this.#burstMsOf(share)]
      const due = this.#dueOf(share, now) + times * intervalMs
      this.#remember(share.name, Math.min(due, now + burstMs + this.#windowMs))
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

  #remember(client: string, due: number): void {
    this.#due.delete(client)
    this.#due.set(client, due)
    if (this.#due.size > MAX_CLIENTS) this.#forgetOldest()
  }

  #forgetOldest(): void {
    const [oldest] = this.#due.keys()
    if (oldest !== undefined) this.#due.delete(oldest)
  }
}

function sharesOf(address: string): readonly Share[] {
  const [client, site] = [clientOf(address), siteOf(address)]
  const share = { name: client, clients: 1 }
  return site === client ? [share] : [share, { name: site, clients: CLIENTS_PER_SITE }]
}

/** An address as logs have it: whole, without a port; what is none is not repeated. */
export function addressOf(address: string | undefined): string {
  const client = clientOf(address ?? '')
  return client.endsWith('/64') ? withoutPort(address ?? '') : client
}

/** What is no address, as a proxy may write it: all of it is one client, so that inventing it wins nothing. */
const NO_ADDRESS = 'unknown'

/**
 * The /64 of an IPv6 address, the whole of an IPv4 one, also where it is written as IPv6 (mapped, or by NAT64); a port
 * that a proxy left on it does not count.
 */
export function clientOf(address: string): string {
  const bare = withoutPort(address)
  if (isIPv4(bare)) return bare
  if (!isIPv6(bare)) return NO_ADDRESS
  const groups = groupsOf(bare)
  if (isIpv4Carrier(groups)) {
    const [high = 0, low = 0] = groups.slice(6)
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
  }
  return networkOf(groups, 64)
}

/** The /48 of an IPv6 client, which is what a site is given (RFC 6177); of others, the client itself. */
export function siteOf(address: string): string {
  const client = clientOf(address)
  return client.endsWith('/64') ? networkOf(groupsOf(withoutPort(address)), 48) : client
}

function networkOf(groups: readonly number[], bits: number): string {
  const left = groups.slice(0, bits / 16).map(group => group.toString(16))
  return `${left.join(':')}::/${bits}`
}

function withoutPort(address: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1] ?? address.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
}

/** ::ffff:0:0/96 and 64:ff9b::/96: the last 32 bits are an IPv4 address. */
function isIpv4Carrier(groups: readonly number[]): boolean {
  const isMapped = groups.slice(0, 5).every(group => group === 0) && groups[5] === 0xffff
  const isNat64 = groups[0] === 0x64 && groups[1] === 0xff9b && groups.slice(2, 6).every(group => group === 0)
  return isMapped || isNat64
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const [head = '', tail] = withoutDots(address.replace(/%.*$/, '')).split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right].map(group =>
    Number.parseInt(group, 16),
  )
}

/** The IPv4 form of the last two groups, as in ::ffff:192.0.2.1, in hexadecimal. */
function withoutDots(address: string): string {
  return address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
}
