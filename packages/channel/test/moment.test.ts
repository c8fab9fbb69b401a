// Waiting for a moment, whatever becomes of clocks and timers meanwhile.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { atMoment } from '../src/moment.ts'
import { timersOf } from './fixtures.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

interface Clocks {
  /** Sets both clocks on, and the timers. */
  readonly pass: (ms: number) => void
  /** Sets the clock on the wall alone, as a suspend or somebody does. */
  readonly set: (ms: number) => void
  readonly reached: () => boolean
  readonly stop: () => void
}

function waiting(t: TestContext, forMs: number): Clocks {
  const { tick } = timersOf(t)
  let [wallMs, elapsedMs, isReached] = [1_700_000_000_000, 0, false]
  const now = (): Date => new Date(wallMs)
  const until = new Date(wallMs + forMs)
  const stop = atMoment({ until, now, elapsedMs: () => elapsedMs }, () => {
    isReached = true
  })
  return {
    pass: ms => {
      wallMs += ms
      elapsedMs += ms
      tick(ms)
    },
    set: ms => {
      wallMs += ms
    },
    reached: () => isReached,
    stop,
  }
}

test('a moment is reached when it has gone by, not before', t => {
  const { pass, reached } = waiting(t, 1_000)
  pass(1_000)
  assert.equal(reached(), false)
  pass(1)
  assert.equal(reached(), true)
})

test('a moment that a timer cannot count to is waited for in parts', t => {
  const { pass, reached } = waiting(t, 30 * DAY_MS)
  for (let day = 0; day < 29; day++) pass(DAY_MS)
  assert.equal(reached(), false)
  pass(2 * DAY_MS)
  assert.equal(reached(), true)
})

test('a clock that has gone on while the machine slept is seen within a minute', t => {
  const { pass, set, reached } = waiting(t, DAY_MS)
  pass(1)
  set(2 * DAY_MS)
  pass(MINUTE_MS)
  assert.equal(reached(), true)
})

test('a clock that is set back gives no more time than was left', t => {
  const { pass, set, reached } = waiting(t, 10 * MINUTE_MS)
  set(-DAY_MS)
  pass(9 * MINUTE_MS)
  assert.equal(reached(), false)
  pass(2 * MINUTE_MS)
  assert.equal(reached(), true)
})

test('a moment that has gone by already is reached, and one that is given up is not', t => {
  const past = waiting(t, -1_000)
  past.pass(1)
  assert.equal(past.reached(), true)
  const { pass, stop, reached } = waiting(t, MINUTE_MS)
  stop()
  pass(2 * MINUTE_MS)
  assert.equal(reached(), false)
})
