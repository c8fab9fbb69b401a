// A ring chooses by time alone: what is over counts for nothing, also while nobody has deleted it. What was read last counts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
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

const plainKek = { unwrap: async () => new Uint8Array(32) } as unknown as Wrapping

/** What is chosen at a time: the key that seals, and what is found by the first one's id. */
async function chosenAt(now: Date, stored: readonly StoredKey[]) {
  const store = { list: async () => stored } as unknown as KeyStore
  const ring = new KeyRing('session', store, plainKek)
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

/** A ring whose store answers when it is told to, and the readings that it was asked for. */
function slowRing() {
  const readings: PromiseWithResolvers<readonly StoredKey[]>[] = []
  const list = () => {
    const reading = Promise.withResolvers<readonly StoredKey[]>()
    readings.push(reading)
    return reading.promise
  }
  return { ring: new KeyRing('session', { list } as unknown as KeyStore, plainKek), readings }
}

const idsOf = (ring: KeyRing) => ring.published(START).map(({ stored }) => stored.id)

test('a slower reading that began before leaves no older list', async () => {
  const [old, added] = [keyOf('old', START, null), keyOf('new', START, null)]
  const { ring, readings } = slowRing()
  const slower = ring.load()
  // The key is made now: whoever reads from here on has to see it.
  const later = ring.load()
  readings[1]?.resolve([old, added])
  await later
  readings[0]?.resolve([old])
  await slower
  assert.deepEqual(idsOf(ring), ['old', 'new'])
})

test('a reading that never ends keeps nobody else from reading', async () => {
  const { ring, readings } = slowRing()
  void ring.load()
  void ring.load()
  assert.equal(readings.length, 2)
  readings[1]?.resolve([keyOf('only', START, null)])
  await setImmediate()
  assert.deepEqual(idsOf(ring), ['only'])
})

test('a reading that failed is told to those who waited for it, and the next one reads again', async () => {
  let fails = true
  const list = async () => (fails ? Promise.reject(new Error('no store')) : [keyOf('only', START, null)])
  const ring = new KeyRing('session', { list } as unknown as KeyStore, plainKek)
  await assert.rejects(ring.load(), { message: 'no store' })
  fails = false
  await ring.load()
  assert.equal(ring.published(START).length, 1)
})
