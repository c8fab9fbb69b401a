// Connections that are admitted and that make room, by whose they are. What listens on the wire is in strangers.test.ts.
import assert from 'node:assert/strict'
import { type BlockList, Server, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { ClientLimit } from '../../src/client-limit.ts'
import { limitConnections, ownListeners } from '../../src/http/connection-limit.ts'

/** A socket as the limit sees it. */
class Connection {
  readonly remoteAddress: string | undefined
  readonly #onClose: (() => void)[] = []
  isOpen = true
  constructor(address: string | undefined) {
    this.remoteAddress = address
  }
  once(_event: 'close', listener: () => void): void {
    this.#onClose.push(listener)
  }
  destroy(): void {
    if (!this.isOpen) return
    this.isOpen = false
    for (const listener of this.#onClose) listener()
  }
}

function limited(limits: { each?: number; all?: number; fresh?: number; proxies?: string[] }) {
  const { each = 10, all = 10, fresh = 100, proxies = [] } = limits
  const server = new Server()
  const served: unknown[] = []
  server.on('connection', socket => void served.push(socket))
  const config = { clientConnectionLimit: each, connectionLimit: all, trustedProxies: proxies }
  const admission = new ClientLimit({ count: fresh, windowMs: 60_000, elapsedMs: () => 0 })
  limitConnections(server, { config, admission, tellClosed: () => undefined }, ownListeners(server))
  const { blockList } = server as unknown as { readonly blockList: BlockList }
  const open = (address: string | undefined, count = 1): Connection[] =>
    Array.from({ length: count }, () => {
      const connection = new Connection(address)
      // As Node does: those on the list are closed before there is a socket.
      if (address !== undefined && blockList.check(address)) connection.isOpen = false
      else server.emit('connection', connection as unknown as Socket)
      assert.equal(served.includes(connection), connection.isOpen)
      return connection
    })
  return { open }
}

const count = (connections: readonly Connection[]) => connections.filter(({ isOpen }) => isOpen).length

describe('connections', () => {
  test('that are not taken are closed before TLS or HTTP hear of them', () => {
    assert.equal(count(limited({ each: 2 }).open('192.0.2.1', 5)), 2)
    assert.equal(count(limited({ fresh: 3 }).open('192.0.2.1', 5)), 3)
    assert.equal(count(limited({}).open(undefined)), 0)
  })

  test('of a client that closed one are taken again', () => {
    const { open } = limited({ each: 1 })
    const [first] = open('192.0.2.1')
    first?.destroy()
    assert.equal(count(open('192.0.2.1', 2)), 1)
  })

  test('are taken where all are in use: the oldest of the client with the most makes room', () => {
    const { open } = limited({ all: 6 })
    const [guest, flood] = [open('192.0.2.1', 1), open('192.0.2.2', 5)]
    const newcomers = open('192.0.2.3', 2)
    assert.deepEqual([count(guest), count(newcomers), count(flood)], [1, 2, 3])
    assert.deepEqual(
      flood.map(({ isOpen }) => isOpen),
      [false, false, true, true, true],
    )
  })

  test('of whoever has the most are not taken at the cost of another', () => {
    const { open } = limited({ all: 6 })
    const guests = open('192.0.2.1', 3)
    const flood = open('192.0.2.2', 5)
    assert.deepEqual([count(guests), count(flood)], [3, 3])
  })

  test('of a site that is many clients make room for one of another', () => {
    const { open } = limited({ all: 6 })
    const flood = [1, 2, 3, 4, 5, 6].flatMap(n => open(`2001:db8:1:${n}::1`))
    assert.deepEqual([count(open('2001:db8:2::1')), count(open('192.0.2.1')), count(flood)], [1, 1, 4])
  })

  test('of a trusted proxy count against all, and are not closed for others', () => {
    const { open } = limited({ each: 1, all: 4, fresh: 1, proxies: ['192.0.2.9'] })
    const proxied = open('192.0.2.9', 4)
    assert.deepEqual([count(proxied), count(open('192.0.2.1'))], [4, 0])
  })
})
