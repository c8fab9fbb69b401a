// Regular work: once a minute, one round after another, and none left out for the sake of another.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createLogger } from '../../src/http/logging.ts'
import { Rounds, type Task } from '../../src/lifecycle/rounds.ts'
import { MINUTE } from '../broker.ts'

function open(t: TestContext, tasks: readonly Task[]) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const lines: Record<string, unknown>[] = []
  const logger = createLogger('info', { write: line => void lines.push(JSON.parse(line)) })
  return { rounds: new Rounds(tasks, logger), lines }
}

/** All that is due now is done. */
const settled = () => new Promise(resolve => setImmediate(resolve))

test('there is a round each minute, until they are stopped', async t => {
  let done = 0
  const { rounds } = open(t, [['count', async () => ++done]])
  t.mock.timers.tick(MINUTE - 1)
  await settled()
  assert.equal(done, 0)
  t.mock.timers.tick(1)
  await settled()
  assert.equal(done, 1)
  t.mock.timers.tick(MINUTE)
  await settled()
  assert.equal(done, 2)
  await rounds.stop()
  t.mock.timers.tick(10 * MINUTE)
  await settled()
  assert.equal(done, 2)
})

test('no round begins while another is under way, and a stop waits for it', async t => {
  const order: string[] = []
  const work = Promise.withResolvers<void>()
  const slow = async () => {
    order.push('begun')
    await work.promise
    order.push('done')
  }
  const { rounds } = open(t, [['slow', slow]])
  t.mock.timers.tick(2 * MINUTE)
  await settled()
  assert.deepEqual(order, ['begun'])
  const stopped = rounds.stop().then(() => order.push('stopped'))
  await settled()
  work.resolve()
  await stopped
  assert.deepEqual(order, ['begun', 'done', 'begun', 'done', 'stopped'])
})

test('what fails is told by its name, keeps nothing else from being done, and is tried again', async t => {
  let [tried, done] = [0, 0]
  const failing = async () => {
    tried++
    throw new RangeError('a mistake')
  }
  const { rounds, lines } = open(t, [
    ['failing', failing],
    ['other', async () => ++done],
  ])
  await rounds.run()
  await rounds.run()
  assert.deepEqual([tried, done], [2, 2])
  assert.deepEqual(
    lines.map(({ task, msg }) => [task, msg]),
    [
      ['failing', 'housekeeping failed'],
      ['failing', 'housekeeping failed'],
    ],
  )
  await rounds.stop()
})
