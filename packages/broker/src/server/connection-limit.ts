// Connections of one client, open ones and new ones: all clients share `connectionLimit`, so none may have them all, and
// each new one costs, with TLS more than a request. A trusted proxy brings the connections of many clients and may.

import { BlockList, isIPv6, type Server, type Socket } from 'node:net'
import type { BrokerConfig } from '../config/settings.ts'
import { ClientLimit, clientOf } from './client-limit.ts'

/** A guest needs one for its challenge and all that follows; clients that keep none open need some more. */
export const NEW_CONNECTIONS_PER_CHALLENGE = 10

const MINUTE_MS = 60_000

/** Closes connections beyond `clientConnectionLimit`, and those that come too fast, before anything is read from them. */
export function limitConnections(
  server: Server,
  config: Pick<BrokerConfig, 'authLimit' | 'clientConnectionLimit' | 'trustedProxies'>,
  elapsedMs: () => number,
): void {
  const proxies = networksOf(config.trustedProxies)
  const open = new Map<string, number>()
  const count = NEW_CONNECTIONS_PER_CHALLENGE * config.authLimit
  const fresh = new ClientLimit({ count, windowMs: MINUTE_MS, elapsedMs })
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket
    // Gone already.
    if (remoteAddress === undefined || isIn(proxies, remoteAddress)) return
    const client = clientOf(remoteAddress)
    const held = open.get(client) ?? 0
    if (held >= config.clientConnectionLimit || fresh.take(remoteAddress) > 0) {
      socket.destroy()
      return
    }
    open.set(client, held + 1)
    socket.once('close', () => {
      const left = (open.get(client) ?? 0) - 1
      if (left > 0) open.set(client, left)
      else open.delete(client)
    })
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
