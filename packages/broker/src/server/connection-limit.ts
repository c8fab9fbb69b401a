// Connections, open ones and new ones: all clients share `connectionLimit`, so none may have them all, and each new one
// costs, with TLS more than a request. What is not admitted is closed before TLS or HTTP know of it. Where all are
// taken, the oldest of the client that has the most makes room. A trusted proxy brings many clients' and may.

import { BlockList, isIPv6, type Server, type Socket } from 'node:net'
import type { BrokerConfig } from '../config/settings.ts'
import { type ClientLimit, clientOf } from './client-limit.ts'

type Limits = Pick<BrokerConfig, 'clientConnectionLimit' | 'connectionLimit' | 'trustedProxies'>

/** Call once the server has its own listeners and before any other is added. */
export function limitConnections(server: Server, config: Limits, allowance: ClientLimit): void {
  const connections = new Connections(config, allowance)
  // Theirs would set up TLS and a parser first.
  const listeners = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (connections.admit(socket)) for (const listener of listeners) listener.call(server, socket)
    else socket.destroy()
  })
}

class Connections {
  readonly #config: Limits
  readonly #allowance: ClientLimit
  readonly #proxies: BlockList
  /** Of each client, oldest first. */
  readonly #open = new Map<string, Set<Socket>>()
  #total = 0

  constructor(config: Limits, allowance: ClientLimit) {
    this.#config = config
    this.#allowance = allowance
    this.#proxies = networksOf(config.trustedProxies)
  }

  admit(socket: Socket): boolean {
    const { remoteAddress } = socket
    // Gone already.
    if (remoteAddress === undefined) return false
    const isProxy = isIn(this.#proxies, remoteAddress)
    const client = clientOf(remoteAddress)
    const held = this.#open.get(client)?.size ?? 0
    if (!isProxy && held >= this.#config.clientConnectionLimit) return false
    if (!isProxy && this.#allowance.take(remoteAddress) > 0) return false
    if (this.#total >= this.#config.connectionLimit && !this.#makeRoom(held)) return false
    this.#total++
    socket.once('close', () => this.#total--)
    if (!isProxy) this.#hold(client, socket)
    return true
  }

  #hold(client: string, socket: Socket): void {
    const sockets = this.#open.get(client) ?? new Set()
    this.#open.set(client, sockets.add(socket))
    socket.once('close', () => {
      sockets.delete(socket)
      if (sockets.size === 0 && this.#open.get(client) === sockets) this.#open.delete(client)
    })
  }

  /** Only at the cost of a client that has more than the newcomer will. */
  #makeRoom(held: number): boolean {
    let most: Set<Socket> | null = null
    for (const sockets of this.#open.values()) {
      if (sockets.size > (most?.size ?? held + 1)) most = sockets
    }
    const [oldest] = most ?? []
    if (oldest === undefined) return false
    most?.delete(oldest)
    oldest.destroy()
    return true
  }
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
