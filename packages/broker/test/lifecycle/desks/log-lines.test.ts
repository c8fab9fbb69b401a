// A line of the log is the same, whichever process has something to say.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '../../../src/http/logging.ts'
import { writeLine } from '../../../src/lifecycle/desks/log-lines.ts'

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
