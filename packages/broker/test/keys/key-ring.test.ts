// A ring chooses by time alone: what is over counts for nothing, also while nobody has deleted it. What was read last counts.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import { KeyRing } from '../../src/keys/key-ring.ts'
import type { Wrapping } from '../../src/keys/keys.ts'
import type { KeyStore, StoredKey } from '../../src/store/store.ts'
import { later, MINUTE, START } from '../broker.ts'

const END = later(START, MINUTE)

const keyOf = (id: string, activeFrom: Date, retiresAt: Date | null): StoredKey => ({
  id,
  purpose: 'session',
  publicJwk: null,
  wrapped: { kekVersion: 1, bytes: new Uint8Array(32) },
  createdAt: START,
  activeFrom,
  retiresAt,
})

/** What is chosen at a time: the key that seals, and what is found by the first one's id. */
async function chosenAt(now: Date, stored: readonly StoredKey[]) {
  const store = { list: async () => stored } as unknown as KeyStore
  const kek = { unwrap: async () => new Uint8Array(32) } as unknown as Wrapping
  const ring = new KeyRing('session', store, kek)
  await ring.load()
  const [{ id } = assert.fail()] = stored
  return [ring.current(now)?.stored.id, (await ring.find(id, now))?.stored.id]
}

test('a key neither seals nor is found from its end on, not even where it is the only one', async () => {
  const only = [keyOf('only', START, END)]
  assert.deepEqual(await chosenAt(later(END, -1), only), ['only', 'only'])
  assert.deepEqual(await chosenAt(END, only), [undefined, undefined])
})

test('a successor seals from when it is active, and its predecessor is found until its end', async () => {
  const both = [keyOf('old', START, END), keyOf('new', later(START, 10), null)]
  assert.deepEqual(await chosenAt(later(START, 9), both), ['old', 'old'])
  assert.deepEqual(await chosenAt(later(START, 10), both), ['new', 'old'])
  assert.deepEqual(await chosenAt(END, both), ['new', undefined])
})

test('a slower reading that began before leaves no older list', async () => {
  const [old, added] = [keyOf('old', START, null), keyOf('new', START, null)]
  const readings: PromiseWithResolvers<readonly StoredKey[]>[] = []
  const asked = new EventEmitter()
  const list = () => {
    const reading = Promise.withResolvers<readonly StoredKey[]>()
    readings.push(reading)
    asked.emit('asked')
    return reading.promise
  }
  const kek = { unwrap: async () => new Uint8Array(32) } as unknown as Wrapping
  const ring = new KeyRing('session', { list } as unknown as KeyStore, kek)
  const began = once(asked, 'asked')
  const first = ring.load()
  await began
  // The key is made now: whoever reads from here on has to see it, and one reading is enough for all of them.
  const others = [ring.load(), ring.load()]
  const beganAgain = once(asked, 'asked')
  readings[0]?.resolve([old])
  await first
  await beganAgain
  readings[1]?.resolve([old, added])
  await Promise.all(others)
  assert.equal(readings.length, 2)
  assert.deepEqual(
    ring.published(START).map(({ stored }) => stored.id),
    ['old', 'new'],
  )
})

test('a reading that failed is told to those who waited for it, and the next one reads again', async () => {
  let fails = true
  const list = async () => (fails ? Promise.reject(new Error('no store')) : [keyOf('only', START, null)])
  const kek = { unwrap: async () => new Uint8Array(32) } as unknown as Wrapping
  const ring = new KeyRing('session', { list } as unknown as KeyStore, kek)
  await assert.rejects(ring.load(), { message: 'no store' })
  fails = false
  await ring.load()
  assert.equal(ring.published(START).length, 1)
})
