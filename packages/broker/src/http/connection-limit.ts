// Connections, open ones and new ones: all clients share `connectionLimit`, so none may have them all, and each new one
// costs, with TLS more than a request. What is not admitted is closed before TLS or HTTP know of it. Where all are
// taken, the oldest of the site that has the most makes room. A trusted proxy brings many clients' and may.

import { BlockList, isIPv6, type Server, type Socket } from 'node:net'
import { clientOf, siteOf } from '../client-address.ts'
import type { ClientLimit } from '../client-limit.ts'
import type { BrokerConfig, SettingName } from '../config/settings.ts'
import type { TellClosed } from './closed-connections.ts'

export interface ConnectionLimits {
  readonly config: Pick<BrokerConfig, 'clientConnectionLimit' | 'connectionLimit' | 'trustedProxies'>
  /** The cost that is allowed to a client that has shown nothing; new connections count. */
  readonly allowance: ClientLimit
  readonly tellClosed: TellClosed
}

/** Call once the server has its own listeners and before any other is added. */
export function limitConnections(server: Server, limits: ConnectionLimits): void {
  const connections = new Connections(limits)
  // Theirs would set up TLS and a parser first.
  const listeners = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const { remoteAddress: address } = socket
    // Gone already.
    if (address === undefined) {
      socket.destroy()
      return
    }
    const limit = connections.admit(socket, address)
    if (limit === null) {
      for (const listener of listeners) listener.call(server, socket)
      return
    }
    limits.tellClosed(address, limit)
    socket.destroy()
  })
}

class Connections {
  readonly #limits: ConnectionLimits
  readonly #proxies: BlockList
  /** Of each client, oldest first. */
  readonly #ofClient = new Map<string, Set<Socket>>()
  readonly #ofSite = new Map<string, Set<Socket>>()
  #total = 0

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
    this.#proxies = networksOf(limits.config.trustedProxies)
  }

  /** Null where it may be served, else the limit that it is beyond. */
  admit(socket: Socket, address: string): SettingName | null {
    const { config, allowance } = this.#limits
    const isProxy = isIn(this.#proxies, address)
    const [client, site] = [clientOf(address), siteOf(address)]
    const held = this.#ofClient.get(client)?.size ?? 0
    if (!isProxy && held >= config.clientConnectionLimit) return 'clientConnectionLimit'
    if (!isProxy && allowance.take(address) > 0) return 'authLimit'
    if (this.#total >= config.connectionLimit && !this.#makeRoom(site)) return 'connectionLimit'
    this.#total++
    socket.once('close', () => this.#total--)
    if (!isProxy) {
      hold(this.#ofClient, client, socket)
      hold(this.#ofSite, site, socket)
    }
    return null
  }

  /** Only at the cost of a site that has more than the newcomer's will. */
  #makeRoom(site: string): boolean {
    const held = this.#ofSite.get(site)?.size ?? 0
    let most: Set<Socket> | null = null
    for (const sockets of this.#ofSite.values()) {
      if (sockets.size > (most?.size ?? held + 1)) most = sockets
    }
    const [oldest] = most ?? []
    if (oldest === undefined) return false
    most?.delete(oldest)
    this.#limits.tellClosed(oldest.remoteAddress ?? '', 'connectionLimit')
    oldest.destroy()
    return true
  }
}

function hold(open: Map<string, Set<Socket>>, name: string, socket: Socket): void {
  const sockets = open.get(name) ?? new Set()
  open.set(name, sockets.add(socket))
  socket.once('close', () => {
    sockets.delete(socket)
    if (sockets.size === 0 && open.get(name) === sockets) open.delete(name)
  })
}

function networksOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = familyOf(address)
    list.addSubnet(address, prefix === undefined ? BITS[family] : Number(prefix), family)
  }
  return list
}

const BITS = { ipv4: 32, ipv6: 128 } as const

function isIn(list: BlockList, address: string): boolean {
  const [plain = ''] = address.split('%')
  return list.check(plain, familyOf(plain))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
