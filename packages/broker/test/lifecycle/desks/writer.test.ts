// What a desk asks of the thread that writes.
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { PendingWraps } from '../../../src/keys/pending-wraps.ts'
import { askedState } from '../../../src/lifecycle/desks/asked-state.ts'
import { Line } from '../../../src/lifecycle/desks/line.ts'
import { RemoteWraps, type Writer, type WriterParts, writerFor } from '../../../src/lifecycle/desks/writer.ts'
import { migrate } from '../../../src/store/migrations.ts'

/** The wraps of a writer, and of a desk that asks it for nothing else. */
function bothSides(t: TestContext) {
  const wraps = new PendingWraps()
  const remote = new RemoteWraps(wraps)
  const { port1, port2 } = new MessageChannel()
  const db = new DatabaseSync(':memory:')
  migrate(db)
  t.after(() => {
    port1.close()
    db.close()
  })
  const writer = new Line<object>(port2, writerFor({ shared: {}, wraps: remote } as unknown as WriterParts))
  const line = new Line<Writer>(port1, {})
  const ledger = { origin: 'x', verifierKey: 'x', key: {} as never }
  return { wraps, writer, desk: askedState({ line, db, ledger, refusalBudget: 1 }) }
}

test('a rotation waits for what a desk has wrapped and not committed, and no longer', async t => {
  const { wraps, desk } = bothSides(t)
  const begun = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const wrapping = desk.wraps.run(() => {
    begun.resolve()
    return ended.promise
  })
  await begun.promise
  const order: string[] = []
  const settled = wraps.settled().then(() => order.push('settled'))
  // The writer is asked once more, and has answered.
  await desk.wraps.run(async () => undefined)
  order.push('committed')
  ended.resolve()
  await wrapping
  await settled
  assert.deepEqual(order, ['committed', 'settled'])
})

test('nor for what could not be wrapped', async t => {
  const { wraps, desk } = bothSides(t)
  await assert.rejects(
    desk.wraps.run(() => Promise.reject(new TypeError('a mistake'))),
    TypeError,
  )
  await wraps.settled()
})

test('a desk is not ready from the moment that the broker closes', async t => {
  let isClosing = false
  const { port1, port2 } = new MessageChannel()
  t.after(() => port1.close())
  const health = { check: async () => null, isClosing: () => isClosing }
  const writer = new Line<object>(port2, writerFor({ shared: {}, health } as unknown as WriterParts))
  const line = new Line<Writer>(port1, {})
  assert.equal(await line.call('unready'), null)
  isClosing = true
  assert.equal((await line.call('unready'))?.code, 'shutting-down')
  assert.ok(writer)
})
