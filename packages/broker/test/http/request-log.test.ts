import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '../../src/http/logging.ts'
import { RequestLog } from '../../src/http/request-log.ts'

test('every level logs under the request’s id, and so does a child', () => {
  const lines: string[] = []
  const log = new RequestLog(createLogger('trace', { write: line => void lines.push(line) }), { reqId: 'r1' })
  for (const level of ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const) log[level]({}, 'said')
  log.child({ part: 'p' }).info('said')
  log.silent('not said')
  assert.equal(log.level, 'trace')
  const read = lines.map(line => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    read.map(({ level, reqId, msg }) => [level, reqId, msg]),
    [60, 50, 40, 30, 20, 10, 30].map(level => [level, 'r1', 'said']),
  )
  assert.equal(read.at(-1)?.['part'], 'p')
})

test('what must not be logged is not logged here either', () => {
  const lines: string[] = []
  const log = new RequestLog(createLogger('info', { write: line => void lines.push(line) }), { reqId: 'r1' })
  log.error({ token: 'needle' }, 'said')
  assert.ok(lines.length === 1 && !lines.join('').includes('needle'))
})
