// Who counts as one client, by address. IPv6 clients count by /64, which is what one of them is given.

import { isIPv4, isIPv6 } from 'node:net'

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
  // Nearly all are, and each request asks several times.
  if (isIPv4(address)) return address
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
