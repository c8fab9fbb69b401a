// Open connections of one client: all of them share `connectionLimit`, so none may have them all. A trusted proxy
// brings the connections of many clients and may.

import { BlockList, isIPv6, type Server, type Socket } from 'node:net'
import type { BrokerConfig } from '../config/settings.ts'
import { clientOf } from './client-limit.ts'

/** Closes connections beyond `clientConnectionLimit`, before anything is read from them. */
export function limitConnections(
  server: Server,
  config: Pick<BrokerConfig, 'clientConnectionLimit' | 'trustedProxies'>,
): void {
  const proxies = networksOf(config.trustedProxies)
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket
    // Gone already.
    if (remoteAddress === undefined || isIn(proxies, remoteAddress)) return
    const client = clientOf(remoteAddress)
    const count = open.get(client) ?? 0
    if (count >= config.clientConnectionLimit) {
      socket.destroy()
      return
    }
    open.set(client, count + 1)
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
