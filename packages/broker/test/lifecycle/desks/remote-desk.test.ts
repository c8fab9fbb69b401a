// A desk as the keeper sees it: whatever the desk does or does not do, nobody waits for it for good.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createLogger } from '../../../src/http/logging.ts'
import { PendingWraps } from '../../../src/keys/pending-wraps.ts'
import type { KeeperParts } from '../../../src/lifecycle/desks/keeper.ts'
import { PlacedConnection } from '../../../src/lifecycle/desks/placed-connection.ts'
import { watched } from '../../../src/lifecycle/desks/processes.ts'
import { RemoteDesk } from '../../../src/lifecycle/desks/remote-desk.ts'
import { FakeChild } from './fake-child.ts'

const LOOK_MS = 10_000

function desk(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const child = new FakeChild()
  const lines: string[] = []
  const failures: Error[] = []
  const reasons: unknown[] = []
  const logger = createLogger('info', {
    write: line => {
      const { msg, reason } = JSON.parse(line)
      lines.push(msg)
      if (reason !== undefined) reasons.push(reason)
    },
  })
  const wraps = new PendingWraps()
  const parts = { shared: { wraps }, logger } as unknown as KeeperParts
  const one = watched(child as never)
  return {
    child,
    wraps,
    lines,
    reasons,
    failures,
    open: () => new RemoteDesk(one, parts, it => failures.push(it)),
  }
}

/** All that is due now is done. */
const settled = () => new Promise(resolve => setImmediate(resolve))

test('a process that ended before anybody asked it anything is no process to wait for', async t => {
  const { child, failures, lines, reasons, open } = desk(t)
  child.answers = false
  child.emit('error', new RangeError('it cannot load'))
  child.emit('exit', 1)
  const waiting = open().line.call('metrics')
  await assert.rejects(waiting, { code: 'internal' })
  assert.deepEqual(
    failures.map(({ message }) => message),
    ['a process that serves clients has ended: it cannot load'],
  )
  assert.deepEqual(lines, ['a process that serves clients has ended'])
  assert.deepEqual(reasons, ['it cannot load'])
})

test('a process that stands still is ended, and the broker with it', async t => {
  const { child, failures, lines, open } = desk(t)
  const opened = open()
  const look = async (times: number) => {
    for (let n = 0; n < times; n++) {
      t.mock.timers.tick(LOOK_MS)
      await settled()
    }
  }
  await look(10)
  assert.deepEqual(failures, [])
  child.answers = false
  const waiting = opened.line.call('metrics')
  waiting.catch(() => undefined)
  await look(6)
  assert.deepEqual(failures, [])
  await look(1)
  assert.equal(failures.length, 1)
  assert.deepEqual(lines, ['a process that serves clients stands still'])
  await assert.rejects(waiting, { code: 'internal' })
  await opened.close(2000)
  assert.equal(child.isEnded, true)
})

test('a close waits for what is open and not for ever', async t => {
  const { child, failures, lines, open } = desk(t)
  const opened = open()
  child.answers = false
  const scrape = opened.line.call('metrics')
  scrape.catch(() => undefined)
  const closed = opened.close(2000)
  t.mock.timers.tick(2000)
  await settled()
  assert.equal(child.isEnded, false)
  t.mock.timers.tick(5000)
  await closed
  assert.equal(child.isEnded, true)
  assert.deepEqual(lines, ['a process that serves clients did not close in order'])
  await assert.rejects(scrape, { code: 'unavailable' })
  assert.deepEqual(failures, [])
})

test('what was asked meanwhile is refused where it closes in order', async t => {
  const { child, lines, open } = desk(t)
  const opened = open()
  await opened.close(2000)
  assert.deepEqual([child.asked, lines], [['close'], []])
  await assert.rejects(opened.line.call('metrics'), { code: 'unavailable' })
})

test('a connection that comes when the process has ended is closed', async t => {
  const { child, open } = desk(t)
  const opened = open()
  child.emit('exit', 1)
  await settled()
  const destroyed: string[] = []
  const socket = { destroy: () => destroyed.push('destroyed') } as unknown as Socket
  const placed = new PlacedConnection(opened, '127.0.0.1')
  placed.once('close', () => destroyed.push('given back'))
  placed.handOver(socket)
  assert.deepEqual([destroyed, opened.size], [['destroyed', 'given back'], 0])
  placed.destroy()
})

test('a rotation waits no longer for what a process had wrapped that has ended', async t => {
  const { child, wraps, open } = desk(t)
  const opened = open()
  child.emit('message', { call: 'beginWraps', args: [], id: 1 })
  const order: string[] = []
  const rotation = wraps.settled().then(() => order.push('settled'))
  await settled()
  child.emit('exit', 1)
  await settled()
  order.push('ended')
  await opened.close(2000)
  await rotation
  assert.deepEqual(order, ['ended', 'settled'])
})
