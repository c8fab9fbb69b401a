import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leaseOf, pauseMs, remainingMs, renewalPointMs } from '../../src/standing/lease.ts'

const START = { wallMs: 1_000_000, monotonicMs: 500 }
const LEASE = leaseOf({ iat: 100, exp: 160 }, START)

function after(wallMs: number, monotonicMs: number): number {
  return remainingMs(LEASE, { wallMs: START.wallMs + wallMs, monotonicMs: START.monotonicMs + monotonicMs })
}

test('a lease lasts as long as the broker says, whatever the broker’s clock says', () => {
  assert.equal(LEASE.lengthMs, 60_000)
  assert.equal(after(0, 0), 60_000)
  assert.equal(after(59_000, 59_000), 1_000)
  assert.ok(after(60_000, 60_000) <= 0)
})

test('a clock that is set back prolongs no lease, and neither does a machine that slept', () => {
  assert.ok(after(-3_600_000, 61_000) <= 0)
  assert.ok(after(61_000, 5) <= 0)
})

test('a token that does not say how long it lives gives no lease', () => {
  for (const claims of [{}, { exp: 5 }, { iat: 5 }, { iat: 9, exp: 5 }]) {
    assert.equal(leaseOf(claims, START).lengthMs, 0)
  }
})

test('it is renewed with a third to a half of it left', () => {
  assert.equal(Math.round(renewalPointMs(LEASE, 0)), 20_000)
  assert.equal(Math.round(renewalPointMs(LEASE, 1)), 30_000)
})

test('pauses double up to a bound, are spread by chance, and honour what the broker asks for', () => {
  const lengthMs = 600_000
  const pause = (failures: number, random = 1, retryAfterMs: number | null = null) =>
    pauseMs({ failures, lengthMs, retryAfterMs }, random)
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 99].map(one => pause(one)),
    [1e3, 2e3, 4e3, 8e3, 16e3, 3e4, 3e4],
  )
  assert.equal(pause(3, 0), 2_000)
  assert.equal(pause(1, 1, 7_000), 7_000)
  assert.equal(pause(1, 1, 3_600_000), 30_000)
  // A lease of two seconds has time for several attempts, and none is for nothing.
  assert.equal(pauseMs({ failures: 9, lengthMs: 2_000, retryAfterMs: null }, 1), 200)
  assert.equal(pauseMs({ failures: 1, lengthMs: 0, retryAfterMs: null }, 0), 50)
})
