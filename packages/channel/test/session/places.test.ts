// Connections are told apart by both their ends, and by themselves where the ends come again.
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { Places } from '../../src/session/places.ts'

class Fake extends EventEmitter {
  readonly remoteAddress = '192.0.2.1'
  readonly remotePort = 1234
  readonly localPort = 443
  readonly localAddress: string
  isDestroyed = false

  constructor(localAddress: string) {
    super()
    this.localAddress = localAddress
  }

  destroy(): void {
    this.isDestroyed = true
  }
}

const asTcp = (fake: Fake): Socket => fake as unknown as Socket
const asTls = (fake: Fake): TLSSocket => fake as unknown as TLSSocket

test('two connections of one address and port, at two addresses of ours, are two', () => {
  const places = new Places(4, assert.fail)
  const [one, other] = [new Fake('10.0.0.1'), new Fake('10.0.0.2')]
  for (const fake of [one, other]) assert.ok(places.take(asTcp(fake)))
  one.emit('close')
  assert.equal(places.secured(asTls(new Fake('10.0.0.1'))), null)
  assert.equal(places.secured(asTls(new Fake('10.0.0.2')))?.address, '192.0.2.1')
})

test('a connection whose ends were another’s loses nothing by the end of that one', () => {
  const places = new Places(4, assert.fail)
  const [gone, comes, secured] = [new Fake('10.0.0.1'), new Fake('10.0.0.1'), new Fake('10.0.0.1')]
  for (const fake of [gone, comes]) assert.ok(places.take(asTcp(fake)))
  gone.emit('close')
  const place = places.secured(asTls(secured))
  assert.equal(place?.socket, secured)
  assert.equal(places.secured(asTls(secured)), null)
})

test('all that are open are ended, also one whose ends have come again', () => {
  const places = new Places(4, assert.fail)
  const fakes = [new Fake('10.0.0.1'), new Fake('10.0.0.1'), new Fake('10.0.0.2')]
  for (const fake of fakes) assert.ok(places.take(asTcp(fake)))
  places.end()
  assert.deepEqual(
    fakes.map(({ isDestroyed }) => isDestroyed),
    [true, true, true],
  )
})

test('a place that was given up is another’s, and who made room takes none from those who stay', () => {
  const told: string[] = []
  const places = new Places(1, ({ code }) => told.push(code))
  const [first, second, third] = [new Fake('10.0.0.1'), new Fake('10.0.0.2'), new Fake('10.0.0.3')]
  assert.ok(places.take(asTcp(first)))
  assert.ok(places.take(asTcp(second)))
  first.emit('close')
  const place = places.secured(asTls(second))
  assert.ok(place)
  places.settle(place)
  assert.equal(places.take(asTcp(third)), false)
  assert.deepEqual([first.isDestroyed, third.isDestroyed], [true, true])
  second.emit('close')
  assert.ok(places.take(asTcp(new Fake('10.0.0.4'))))
  assert.deepEqual(told, ['connections-full', 'connections-full'])
})
