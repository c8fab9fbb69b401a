// A clock that is set back: what was put off by the old time is not put off until that comes again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REQUESTS_PER_CLIENT_AND_MINUTE, RequestBudget } from '../../src/node/fetch-budget.ts'
import { HttpSource } from '../../src/node/fetch-http.ts'

const HOUR = 3_600_000

test('a client whose budget is used up asks again after a step back of hours', () => {
  const budget = new RequestBudget()
  const start = 10 * HOUR
  for (let n = 0; n < REQUESTS_PER_CLIENT_AND_MINUTE; n++) assert.equal(budget.take('a', start), 0)
  assert.ok(budget.take('a', start) > 0)
  assert.equal(budget.take('a', start - 6 * HOUR), 0)
})

test('a service that was left alone is asked again after a step back of hours', async () => {
  let now = 10 * HOUR
  let status = 429
  const source = new HttpSource({
    fetch: async () => new Response('x', { status, headers: { 'retry-after': '3600' } }),
    now: () => now,
    wait: async () => undefined,
  })
  const url = new URL('https://vendor.example/crl')
  await assert.rejects(source.get(url, 'vendor'), { code: 'endorsement-unavailable' })
  status = 200
  await assert.rejects(source.get(url, 'vendor'), { code: 'endorsement-unavailable' })
  now -= 6 * HOUR
  assert.equal((await source.get(url, 'vendor'))?.body.length, 1)
})
