// When the platform looks at an instance: each kind of look once, and the limit no later for what is posted meanwhile.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { LookScheduler, type Looks } from '../../src/running/look-scheduler.ts'

const CALL_MS = 1_000

function schedulerOf(t: TestContext, onLimit: (scheduler: LookScheduler) => number | null = () => null) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] })
  const seen: string[] = []
  const looks: Looks = {
    onSoon: () => void seen.push('soon'),
    onLater: () => void seen.push('later'),
    onLimit: () => {
      seen.push('limit')
      return onLimit(scheduler)
    },
  }
  const scheduler = new LookScheduler(CALL_MS, looks)
  return { scheduler, seen, tick: (ms: number) => t.mock.timers.tick(ms) }
}

test('a look that is asked for twice comes once, and may be asked for again then', t => {
  const { scheduler, seen, tick } = schedulerOf(t)
  for (const round of [1, 2]) {
    for (let times = 0; times < 2; times++) {
      scheduler.soon()
      scheduler.later()
    }
    tick(0)
    tick(10)
    assert.deepEqual(seen, Array.from({ length: round }, () => ['soon', 'later']).flat())
  }
})

test('the limit is looked at when a job’s time is over, and again when it says', t => {
  const next = [300, null]
  const { scheduler, seen, tick } = schedulerOf(t, () => next.shift() ?? null)
  scheduler.limit()
  tick(CALL_MS - 1)
  // A second job has the first one's timer.
  scheduler.limit()
  assert.deepEqual(seen, [])
  tick(1)
  tick(299)
  assert.deepEqual(seen, ['limit'])
  tick(1)
  assert.deepEqual(seen, ['limit', 'limit'])
  tick(10 * CALL_MS)
  assert.equal(seen.length, 2)
  scheduler.limit()
  tick(CALL_MS)
  assert.equal(seen.length, 3)
})

test('a job that is posted while the limit is looked at does not put the next look off', t => {
  const next = [5, null]
  const { scheduler, seen, tick } = schedulerOf(t, own => {
    own.limit()
    return next.shift() ?? null
  })
  scheduler.limit()
  tick(CALL_MS)
  tick(5)
  tick(2 * CALL_MS)
  assert.deepEqual(seen, ['limit', 'limit'])
})

test('the time of the first job runs from when it is the first', t => {
  const { scheduler } = schedulerOf(t)
  scheduler.beginFirst(100)
  assert.equal(scheduler.leftMs(100), CALL_MS)
  assert.equal(scheduler.leftMs(100 + CALL_MS + 1), -1)
})

test('nothing is looked at once it is stopped, not even where that happens in a look', t => {
  const { scheduler, seen, tick } = schedulerOf(t, own => {
    own.stop()
    return 5
  })
  scheduler.limit()
  tick(CALL_MS)
  scheduler.soon()
  tick(100)
  assert.deepEqual(seen, ['limit'])
})

test('looks that are due when it is stopped do not come', t => {
  const { scheduler, seen, tick } = schedulerOf(t)
  scheduler.soon()
  scheduler.later()
  scheduler.limit()
  scheduler.stop()
  tick(CALL_MS)
  assert.deepEqual(seen, [])
})
