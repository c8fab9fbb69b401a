// Networks, as settings name them: addresses, alone or with a prefix.

import { BlockList, isIPv6 } from 'node:net'

const BITS = { ipv4: 32, ipv6: 128 } as const

export class Networks {
  readonly #list = new BlockList()

  /** Each an address or a CIDR. */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', prefix] = network.split('/')
      const family = familyOf(address)
      this.#list.addSubnet(address, prefix === undefined ? BITS[family] : Number(prefix), family)
    }
  }

  has(address: string): boolean {
    const [plain = ''] = address.split('%')
    return this.#list.check(plain, familyOf(plain))
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
