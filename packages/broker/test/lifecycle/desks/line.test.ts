// Calls between processes: answers and errors arrive as what they were, and nobody waits for one that has ended.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LedgerError } from '@casemate/ledger'
import { BrokerError, StartError } from '../../../src/errors.ts'
import { carry, restore } from '../../../src/lifecycle/desks/carried-error.ts'
import { Line } from '../../../src/lifecycle/desks/line.ts'
import { messagePorts } from './message-ports.ts'

interface Counting {
  add(a: number, b: number): number
  fail(): void
  note(text: string): void
}

function lines() {
  const { ends, close } = messagePorts()
  const noted: string[] = []
  const failure = new BrokerError('conflict', 'not now', { hint: 'later', cause: new Error('inside') })
  const other = new Line<object>(ends[1], {
    add: async (a: number, b: number) => a + b,
    fail: () => {
      throw failure
    },
    note: (text: string) => void noted.push(text),
  })
  return { line: new Line<Counting>(ends[0], {}), other, noted, close }
}

test('a call is answered, also while others wait', async () => {
  const { line, close } = lines()
  assert.deepEqual(await Promise.all([line.call('add', 1, 2), line.call('add', 3, 4)]), [3, 7])
  close()
})

test('a refusal keeps its code and what it says, and leaves behind what caused it', async () => {
  const { line, close } = lines()
  await assert.rejects(line.call('fail'), (error: unknown) => {
    assert.ok(error instanceof BrokerError)
    assert.deepEqual([error.code, error.detail.hint, error.cause], ['conflict', 'later', undefined])
    return true
  })
  close()
})

test('what is told is not answered, and no longer waits where it is sent', async () => {
  const { line, noted, close } = lines()
  let isSent = false
  line.tell('note', ['x'], () => (isSent = true))
  assert.equal(isSent, true)
  // Comes after it.
  await line.call('add', 1, 1)
  assert.deepEqual(noted, ['x'])
  close()
})

test('nobody waits for what has failed', async () => {
  const { line, close } = lines()
  const waiting = line.call('add', 1, 1)
  line.fail(new BrokerError('internal', 'it has ended'))
  await assert.rejects(waiting, { code: 'internal' })
  await assert.rejects(line.call('add', 1, 1), { code: 'internal' })
  close()
})

test('each kind of error is again what it was', () => {
  for (const error of [
    new BrokerError('precondition-failed', 'it has changed', { expected: 'revision 1', got: 'revision 2' }),
    new StartError('kek-missing', 'version 3 is not there', { hint: 'restore it' }),
    new LedgerError('ledger-busy', 'too much waits', { retryAfterMs: 1000 }),
  ]) {
    const again = restore(structuredClone(carry(error)))
    assert.equal(again.constructor, error.constructor)
    // But for its stack, which is of where it was restored.
    assert.equal(again.message, error.message)
    assert.deepEqual(Object.entries(again), Object.entries(error))
  }
})

test('a mistake keeps what the log says of it, and leaves behind what has no copy', async t => {
  const mistake = Object.assign(new TypeError('a mistake', { cause: () => 'a function' }), {
    code: 'ENOSPC',
    socket: () => undefined,
  })
  const { ends, close } = messagePorts()
  t.after(close)
  const other = new Line<object>(ends[1], {
    fail: () => {
      throw mistake
    },
    hand: () => () => 'a function',
  })
  const line = new Line<{ fail(): void; hand(): unknown; take(what: unknown): void }>(ends[0], {})
  await assert.rejects(line.call('fail'), ({ name, message, stack, cause, code }: NodeJS.ErrnoException) => {
    assert.deepEqual([name, message, code], ['TypeError', 'a mistake', 'ENOSPC'])
    assert.deepEqual([stack, cause], [mistake.stack, undefined])
    return true
  })
  await assert.rejects(line.call('hand'), { name: 'DataCloneError' })
  await assert.rejects(
    line.call('take', () => undefined),
    { name: 'DataCloneError' },
  )
  assert.ok(other)
})
