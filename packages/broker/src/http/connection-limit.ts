// Connections, open ones and new ones: all clients share `connectionLimit`, so none may have them all, and each new one
// costs, with TLS more than a request. What is not admitted is closed before TLS or HTTP know of it. Where all are
// taken, the oldest of the site that has the most makes room. A trusted proxy brings many clients' and may.

import { BlockList, isIPv6, type Server, type Socket, type SocketAddress } from 'node:net'
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
  // Asked before there is a socket, which costs more than all that is asked.
  Object.assign(server, { blockList: new RefusedClients(connections) })
  // Theirs would set up TLS and a parser first.
  const listeners = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const { remoteAddress: address } = socket
    // Gone already.
    if (address === undefined || !connections.hold(socket, address)) socket.destroy()
    else for (const listener of listeners) listener.call(server, socket)
  })
}

/** Node closes the connection of a client that is listed. Who is, depends on what the client has and did. */
class RefusedClients extends BlockList {
  readonly #connections: Connections

  constructor(connections: Connections) {
    super()
    this.#connections = connections
  }

  override check(address: string | SocketAddress): boolean {
    return !this.#connections.admit(typeof address === 'string' ? address : address.address)
  }
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

  /** Whether the client may have one more; that is counted. */
  admit(address: string): boolean {
    const { config, allowance } = this.#limits
    if (isIn(this.#proxies, address)) return true
    const held = this.#ofClient.get(clientOf(address))?.size ?? 0
    if (held >= config.clientConnectionLimit) return this.#refuse(address, 'clientConnectionLimit')
    return allowance.take(address) === 0 || this.#refuse(address, 'authLimit')
  }

  /** False where all are taken. */
  hold(socket: Socket, address: string): boolean {
    const [client, site] = [clientOf(address), siteOf(address)]
    if (this.#total >= this.#limits.config.connectionLimit && !this.#makeRoom(site))
      return this.#refuse(address, 'connectionLimit')
    this.#total++
    socket.once('close', () => this.#total--)
    if (isIn(this.#proxies, address)) return true
    hold(this.#ofClient, client, socket)
    hold(this.#ofSite, site, socket)
    return true
  }

  #refuse(address: string, limit: SettingName): false {
    this.#limits.tellClosed(address, limit)
    return false
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
