// Whose process is at the other end of a connection on this machine, as Linux's table of TCP sockets has it
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

/** The user id at the peer's end; null where no open socket is known there. */
export async function userOfPeer(peer: End, local: End): Promise<number | null> {
  for (const path of TABLES) {
    const table = await readFile(path, 'latin1').catch(() => '')
    const user = userIn(table, peer, local)
    if (user !== null) return user
  }
  return null
}

/** Looks one connection up in the text of a table. */
export function userIn(table: string, peer: End, local: End): number | null {
  for (const line of table.split('\n')) {
    const [, from = '', to = '', , , , , user = '', , inode = '0'] = line.trim().split(/\s+/)
    // A socket that its process has closed belongs to nobody: it has no inode, and is shown as root's.
    if (inode === '0' || !isEnd(from, peer) || !isEnd(to, local)) continue
    return /^\d+$/.test(user) ? Number(user) : null
  }
  return null
}

/** `0100007F:1F46`: the address as words in the machine's order of octets, also when it is mapped into IPv6. */
function isEnd(text: string, { address, port }: End): boolean {
  const [words = '', hexPort = ''] = text.split(':')
  if (Number.parseInt(hexPort, 16) !== port) return false
  const octets = address.split('.').map(octet => Number(octet).toString(16).padStart(2, '0'))
  const word = (endianness() === 'LE' ? octets.toReversed() : octets).join('').toUpperCase()
  const mapped = endianness() === 'LE' ? 'FFFF0000' : '0000FFFF'
  return words === word || words === `${'0'.repeat(16)}${mapped}${word}`
}
