// Connections, open ones and new ones: all clients share `connectionLimit`, so none may have them all, and each new one
// costs, with TLS more than a request. What is not admitted is closed before TLS or HTTP know of it. Where all are
// taken, the oldest of the site that has the most makes room. A trusted proxy brings many clients' and may.

import { BlockList, type Server, type Socket, type SocketAddress } from 'node:net'
import { clientOf, siteOf } from '../client-address.ts'
import type { BrokerConfig, SettingName } from '../config/settings.ts'
import type { TellClosed } from './closed-connections.ts'
import { Networks } from './networks.ts'
import type { Admission } from './stranger-allowance.ts'

export interface ConnectionLimits {
  readonly config: Pick<BrokerConfig, 'clientConnectionLimit' | 'connectionLimit' | 'trustedProxies'>
  /** The allowance of clients that have shown nothing; new connections count. */
  readonly admission: Admission
  readonly tellClosed: TellClosed
}

/** A connection that is open. */
export interface Held {
  readonly remoteAddress?: string | undefined
  once(event: 'close', listener: () => void): unknown
  destroy(): unknown
}

/** Who serves what is admitted. */
export interface Serving<H extends Held> {
  /** What stands for it as long as it is open. */
  place(socket: Socket): H
  serve(socket: Socket, held: H): void
}

/** Nobody else may listen to the server's connections before this. */
export function limitConnections<H extends Held>(
  server: Server,
  limits: ConnectionLimits,
  serving: Serving<H>,
): void {
  const connections = new Connections(limits)
  // Asked before there is a socket, which costs more than all that is asked.
  Object.assign(server, { blockList: new RefusedClients(connections) })
  server.on('connection', (socket: Socket) => {
    const { remoteAddress: address } = socket
    // Gone already.
    if (address === undefined) {
      socket.destroy()
      return
    }
    const held = serving.place(socket)
    if (connections.hold(held, address)) serving.serve(socket, held)
    else socket.destroy()
  })
}

/** The listeners that the server has by itself, which would set up TLS and a parser before anybody is admitted. */
export function ownListeners(server: Server): Serving<Socket> {
  const listeners = server.listeners('connection')
  server.removeAllListeners('connection')
  return {
    place: socket => socket,
    serve: socket => {
      for (const listener of listeners) listener.call(server, socket)
    },
  }
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
  readonly #proxies: Networks
  /** Of each client, oldest first. */
  readonly #ofClient = new Map<string, Set<Held>>()
  readonly #ofSite = new Map<string, Set<Held>>()
  #total = 0

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
    this.#proxies = new Networks(limits.config.trustedProxies)
  }

  /** Whether the client may have one more; that is counted. */
  admit(address: string): boolean {
    const { config, admission } = this.#limits
    if (this.#proxies.has(address)) return true
    const held = this.#ofClient.get(clientOf(address))?.size ?? 0
    if (held >= config.clientConnectionLimit) return this.#refuse(address, 'clientConnectionLimit')
    return admission.take(address) === 0 || this.#refuse(address, 'authLimit')
  }

  /** False where all are taken. */
  hold(connection: Held, address: string): boolean {
    const [client, site] = [clientOf(address), siteOf(address)]
    if (this.#total >= this.#limits.config.connectionLimit && !this.#makeRoom(site))
      return this.#refuse(address, 'connectionLimit')
    this.#total++
    connection.once('close', () => this.#total--)
    if (this.#proxies.has(address)) return true
    hold(this.#ofClient, client, connection)
    hold(this.#ofSite, site, connection)
    return true
  }

  #refuse(address: string, limit: SettingName): false {
    this.#limits.tellClosed(address, limit)
    return false
  }

  /** Only at the cost of a site that has more than the newcomer's will. */
  #makeRoom(site: string): boolean {
    const held = this.#ofSite.get(site)?.size ?? 0
    let most: Set<Held> | null = null
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

function hold(open: Map<string, Set<Held>>, name: string, connection: Held): void {
  const held = open.get(name) ?? new Set()
  open.set(name, held.add(connection))
  connection.once('close', () => {
    held.delete(connection)
    if (held.size === 0 && open.get(name) === held) open.delete(name)
  })
}
