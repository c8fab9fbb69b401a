// The user whose process is at the other end of a connection on this machine, as Linux's table of TCP sockets has it
// (proc_net_tcp): every user of a machine can connect to its loopback, and not every one is meant to have secrets.

import { readFile } from 'node:fs/promises'
import { endianness } from 'node:os'

/** One end of a connection. */
export interface End {
  readonly address: string
  readonly port: number
}

const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'] as const

/** True where this system tells it. */
export function knowsPeers(): Promise<boolean> {
  return readFile(TABLES[0]).then(
    () => true,
    () => false,
  )
}

/** Users that have no id in our namespace are all shown under this one (overflowuid of proc_sys_kernel). */
const OVERFLOW_USER = 65_534
/** The namespace that every user has an id in. */
const ALL_USERS = /^\s*0\s+0\s+4294967295\s*$/

/** False where others may be shown under this user's id, so that they cannot be told apart. */
export async function isOneUser(user: number): Promise<boolean> {
  const overflow = await readFile('/proc/sys/kernel/overflowuid', 'latin1').catch(() => '')
  if (user !== (overflow === '' ? OVERFLOW_USER : Number(overflow))) return true
  return ALL_USERS.test(await readFile('/proc/self/uid_map', 'latin1').catch(() => ''))
}

/** A row that moves while the table is read may be missed (proc_net_tcp): it is looked for again before it counts as none. */
const LOOKS = 3

/** The user id at the peer's end; null if no open socket is known there. */
export async function userOfPeer(peer: End, local: End): Promise<number | null> {
  for (let looks = 0; looks < LOOKS; looks++) {
    for (const path of TABLES) {
      const user = userIn(await freshTable(path), peer, local)
      if (user !== null) return user
    }
  }
  return null
}

/** A reading of a table, and the one that begins after it. */
interface Reading {
  readonly text: Promise<string>
  next: Promise<string> | null
}

const readings = new Map<string, Reading>()

/**
 * A table whose reading begins from now on. All who ask during one reading share the next: whoever opens many connections
 * has the table, which they make long, read no oftener for that.
 */
function freshTable(path: string): Promise<string> {
  const reading = readings.get(path)
  if (reading !== undefined) {
    reading.next ??= reading.text.then(() => freshTable(path))
    return reading.next
  }
  const text = readFile(path, 'latin1')
    .catch(() => '')
    .finally(() => readings.delete(path))
  readings.set(path, { text, next: null })
  return text
}

/** Looks one connection up in the text of a table. */
export function userIn(table: string, peer: End, local: End): number | null {
  for (const form of [plain, mapped]) {
    const ends = `: ${form(peer)} ${form(local)} `
    for (let at = table.indexOf(ends); at >= 0; at = table.indexOf(ends, at + 1)) {
      const [, , , , user = '', , inode = '0'] = table.slice(at + ends.length, at + ROW_CHARS).split(/\s+/)
      // A socket that its process has closed belongs to nobody: it has no inode, and is shown as root's.
      if (inode !== '0' && /^\d+$/.test(user)) return Number(user)
    }
  }
  return null
}

/** No row is longer. */
const ROW_CHARS = 400

/** `0100007F:1F46`: the address as a word in the machine's order of octets. */
function plain({ address, port }: End): string {
  const octets = address.split('.').map(octet => Number(octet).toString(16).padStart(2, '0'))
  const word = (endianness() === 'LE' ? octets.toReversed() : octets).join('')
  return `${word}:${port.toString(16).padStart(4, '0')}`.toUpperCase()
}

/** The same address mapped into IPv6. */
function mapped(end: End): string {
  return `${'0'.repeat(16)}${endianness() === 'LE' ? 'FFFF0000' : '0000FFFF'}${plain(end)}`
}
