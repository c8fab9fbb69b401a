// A line of the log is the same, whichever process has something to say.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '../../../src/http/logging.ts'
import { SentLines, writeLine } from '../../../src/lifecycle/desks/log-lines.ts'

test('a line from another process says what it said there, of errors too', () => {
  const [said, written]: [object[], object[]] = [[], []]
  const writer = createLogger('debug', { write: line => void written.push(JSON.parse(line)) })
  const desk = createLogger('debug', {
    write: line => {
      said.push(JSON.parse(line))
      writeLine(writer, line)
    },
  })
  const error = Object.assign(new TypeError('not to be told'), { code: 'ERR_SOME' })
  desk.error({ err: error, route: 'GET /x' }, 'one')
  desk.warn({ error, token: 'not to be told' }, 'another')
  desk.child({ reqId: '1' }).debug({ failure: { error: 'inner' } }, 'a third')
  const untimed = (lines: readonly object[]) => lines.map(line => ({ ...line, time: null }))
  assert.deepEqual(untimed(written), untimed(said))
  assert.match(JSON.stringify(written[0]), /"err":\{"name":"TypeError","code":"ERR_SOME","stack":"at /)
})

test('what waits for a process that reads no more is bounded, and what was lost is told afterwards', () => {
  const waiting: (() => void)[] = []
  const lost: number[] = []
  const lines = new SentLines(
    (_line, onSent) => void waiting.push(onSent),
    count => lost.push(count),
  )
  const line = 'x'.repeat(1024)
  for (let n = 0; n < 1030; n++) lines.write(line)
  assert.equal(waiting.length, 1024)
  for (const onSent of waiting.splice(0, 511)) onSent()
  assert.deepEqual(lost, [])
  for (const onSent of waiting.splice(0)) onSent()
  assert.deepEqual(lost, [6])
  lines.write(line)
  assert.equal(waiting.length, 1)
})
