// What is looked after once a minute: by each process for itself, and what is the store's by one of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestBroker } from '../broker.ts'

test('what another process is at is left to it, and what is this one’s own is not', async t => {
  const broker = await openTestBroker()
  t.after(() => broker.close())
  const { context, housekeeping } = broker
  const { store, counted } = context
  const { mock: purged } = t.mock.method(store.attestations, 'purgeRefused')
  const { mock: listed } = t.mock.method(store.keys, 'list')
  const { mock: flushed } = t.mock.method(counted, 'flush')
  await store.exclusively('housekeeping', () => housekeeping.run())
  assert.deepEqual([purged.callCount(), listed.callCount(), flushed.callCount()], [0, 2, 1])
  await housekeeping.run()
  assert.deepEqual([purged.callCount(), listed.callCount(), flushed.callCount()], [1, 4, 2])
})
