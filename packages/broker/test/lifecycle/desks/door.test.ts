// The door of a broker whose processes do what the test says.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { resolveConfig } from '../../../src/config/resolve.ts'
import { createLogger } from '../../../src/http/logging.ts'
import { PendingWraps } from '../../../src/keys/pending-wraps.ts'
import { openDesks } from '../../../src/lifecycle/desks/desks.ts'
import { watched } from '../../../src/lifecycle/desks/processes.ts'
import type { FrontParts } from '../../../src/lifecycle/front.ts'
import { FakeChild } from './fake-child.ts'

function door() {
  const children = [new FakeChild(), new FakeChild()]
  const lines: Record<string, unknown>[] = []
  const config = resolveConfig({ flags: { listen: '127.0.0.1:0' }, env: {}, file: null }).values
  const logger = createLogger('info', { write: line => void lines.push(JSON.parse(line)) })
  const parts = {
    config,
    deps: {},
    core: { context: { logger }, elapsedMs: () => 0 },
    shared: { ledger: {}, wraps: new PendingWraps() },
    health: {},
  } as unknown as FrontParts
  const processes = children.map(child => watched(child as never))
  return { children, lines, open: () => openDesks(parts, processes) }
}

test('where one process cannot open, all have ended before the lock is given up, and only its reason is told', async () => {
  const { children, lines, open } = door()
  children[1]!.refuses = 'open'
  await assert.rejects(open(), { code: 'tls-invalid' })
  assert.deepEqual(
    children.map(({ isEnded }) => isEnded),
    [true, true],
  )
  assert.deepEqual(lines, [])
})

function mayOpen(t: TestContext, files: number | 'unlimited'): void {
  const limits = { userLimits: { open_files: { soft: files, hard: files } } }
  t.mock.method(process.report, 'getReport', () => limits)
}

test('no process is handed more connections than it may open files, and the log says so', {
  timeout: 20_000,
}, async t => {
  mayOpen(t, 98)
  const { children, lines, open } = door()
  const front = await open()
  t.after(() => front.close(0))
  const { port, hostname } = new URL(await front.listen())
  const sockets = []
  for (let n = 0; n < 3; n++) {
    const socket = connect({ port: Number(port), host: hostname }).on('error', () => undefined)
    await once(socket, 'connect')
    sockets.push(socket)
  }
  await once(sockets[2]!, 'close')
  const handed = children.flatMap(({ connections }) => connections)
  assert.equal(handed.length, 2)
  const told = lines.filter(({ msg }) => String(msg).startsWith('fewer connections are admitted'))
  assert.deepEqual(
    told.map(({ level, connectionLimit, most }) => [level, connectionLimit, most]),
    [[40, 2048, 2]],
  )
  for (const socket of [...handed, ...sockets]) socket.destroy()
})

test('as many as are set are taken where files are enough', async t => {
  for (const files of [4096, 'unlimited'] as const) {
    mayOpen(t, files)
    const { lines, open } = door()
    const front = await open()
    await front.close(0)
    assert.deepEqual(lines, [])
  }
})
