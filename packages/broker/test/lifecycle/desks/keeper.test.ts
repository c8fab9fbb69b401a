// What a desk asks of the process that keeps the door and the key file.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { PendingWraps } from '../../../src/keys/pending-wraps.ts'
import { askedOf } from '../../../src/lifecycle/desks/desk-state.ts'
import { type Keeper, type KeeperParts, keeperFor, RemoteWraps } from '../../../src/lifecycle/desks/keeper.ts'
import { Line } from '../../../src/lifecycle/desks/line.ts'
import { messagePorts } from './message-ports.ts'

function lineTo(t: TestContext, parts: object) {
  const { ends, close } = messagePorts()
  t.after(close)
  const keeper = new Line<object>(ends[1], keeperFor(parts as KeeperParts))
  return { keeper, line: new Line<Keeper>(ends[0], {}) }
}

/** The wraps of a keeper, and of a desk that asks it for nothing else. */
function bothSides(t: TestContext) {
  const wraps = new PendingWraps()
  const { keeper, line } = lineTo(t, { shared: {}, wraps: new RemoteWraps(wraps) })
  return { wraps, keeper, desk: askedOf(line) }
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
  // The keeper is asked once more, and has answered.
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
  const health = { check: async () => null, isClosing: () => isClosing }
  const { keeper, line } = lineTo(t, { shared: {}, health })
  assert.equal(await line.call('unready'), null)
  isClosing = true
  assert.equal((await line.call('unready'))?.code, 'shutting-down')
  assert.ok(keeper)
})

test('a version of the key-encryption key is retired once no desk has it any more', async t => {
  const order: string[] = []
  const rotation = { retire: async (_actor: object, version: number) => order.push(`retired ${version}`) }
  const forgotten = Promise.withResolvers<void>()
  const forget = async (version: number) => {
    order.push(`to be forgotten: ${version}`)
    await forgotten.promise
    order.push('forgotten')
  }
  const { keeper, line } = lineTo(t, { shared: { rotation }, forget })
  const answered = askedOf(line)
    .rotation.retire({ system: 'x' }, 7)
    .then(() => order.push('answered'))
  // Answered after what it was asked before.
  await line.call('beginWraps').catch(() => undefined)
  forgotten.resolve()
  await answered
  assert.deepEqual(order, ['retired 7', 'to be forgotten: 7', 'forgotten', 'answered'])
  assert.ok(keeper)
})
