import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_REMEMBERED, UsedChallenges } from '../../src/kbs/used-challenges.ts'

test('a challenge is used once, until so many were used after it that the oldest are forgotten', () => {
  const used = new UsedChallenges()
  const [count, half] = [3 * MAX_REMEMBERED, MAX_REMEMBERED / 2]
  for (let at = 0; at < count; at++) assert.ok(used.use(`${at}`))
  assert.deepEqual([used.use(`${count - 1}`), used.use(`${count - half}`)], [false, false])
  assert.equal(used.use('0'), true)
})
