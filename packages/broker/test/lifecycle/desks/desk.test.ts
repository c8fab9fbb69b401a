// A desk by itself, beside a writer in this thread, on clocks that a test moves: what it looks after once a minute.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { resolveConfig } from '../../../src/config/resolve.ts'
import { createLogger } from '../../../src/http/logging.ts'
import { createMetrics } from '../../../src/http/metrics.ts'
import { strangerAllowance } from '../../../src/http/stranger-allowance.ts'
import type { JsonObject } from '../../../src/json.ts'
import { openCore } from '../../../src/lifecycle/core.ts'
import { openDesk } from '../../../src/lifecycle/desks/desk.ts'
import { Line } from '../../../src/lifecycle/desks/line.ts'
import { RemoteWraps, type Writer, writerFor } from '../../../src/lifecycle/desks/writer.ts'
import { writersState } from '../../../src/lifecycle/shared-state.ts'
import { DATABASE_FILE, openState } from '../../../src/lifecycle/state.ts'
import { DAY, later, MINUTE, START, temporaryDirectory } from '../../broker.ts'

const AUTH = { version: '0.4.0', tee: 'tdx', 'extra-params': '' }

async function openWriter(t: TestContext) {
  const dataDir = temporaryDirectory()
  const config = resolveConfig({
    flags: { 'data-dir': dataDir, offline: 'true' },
    env: {},
    file: null,
  }).values
  const time = { now: START }
  const clocks = { now: () => time.now, elapsedMs: () => time.now.getTime() }
  const state = await openState(config, clocks)
  const shared = writersState(state, clocks.now)
  const logger = createLogger('silent')
  const deps = { ...clocks, anchors: [], endorsements: [] }
  const core = await openCore(config, { deps, state: shared, logger, metrics: createMetrics() })
  t.after(async () => {
    await state.close()
    rmSync(dataDir, { recursive: true })
  })
  return { config, time, clocks, shared, logger, core }
}

/** A desk that serves whoever connects to `url`. */
async function openBoth(t: TestContext) {
  const { config, time, clocks, shared, logger, core } = await openWriter(t)
  const appended = new EventEmitter<{ entry: [JsonObject] }>()
  const append = shared.ledger.append.bind(shared.ledger)
  t.mock.method(shared.ledger, 'append', async (...args: Parameters<typeof append>) => {
    const receipt = await append(...args)
    appended.emit('entry', args[0])
    return receipt
  })
  const { port1, port2 } = new MessageChannel()
  const health = { check: async () => null, isClosing: () => false }
  const allowance = strangerAllowance(config, clocks.elapsedMs)
  const wraps = new RemoteWraps(shared.wraps)
  const parts = { shared, health, logger, allowance, wraps, onClosed: () => undefined }
  void new Line<object>(port2, writerFor(parts))
  const { origin, verifierKey } = shared.ledger
  const opening = {
    config,
    database: join(config.dataDir, DATABASE_FILE),
    ledger: { origin, verifierKey, key: shared.ledgerKey },
    anchors: [],
    endorsements: [],
  }
  const desk = await openDesk(opening, { line: new Line<Writer>(port1, {}), ...clocks })
  let connections = 0
  const door = createServer(socket => desk.connections.serve(socket, ++connections))
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  t.after(async () => {
    door.close()
    await desk.close(0)
    port1.close()
  })
  return { url: `http://127.0.0.1:${(door.address() as AddressInfo).port}`, time, core, appended }
}

/** The answer of the desk over a connection of its own. */
async function ask(url: string, path: string, body: object | null = null) {
  const headers = { connection: 'close', ...(body === null ? {} : { 'content-type': 'application/json' }) }
  const sending = body === null ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) }
  const answer = await fetch(`${url}${path}`, sending)
  await answer.arrayBuffer()
  return answer
}

/** What a sealed session begins with: the id of the key. */
async function sealingKey(url: string): Promise<string> {
  const answer = await ask(url, '/kbs/v0/auth', AUTH)
  assert.equal(answer.status, 200)
  const [, sealed = ''] = /^kbs-session-id=([\w-]+);/.exec(answer.headers.get('set-cookie') ?? '') ?? []
  return Buffer.from(sealed, 'base64url').subarray(0, 8).toString('hex')
}

test('once a minute a desk sees the keys that others have made, and records what it counted', {
  timeout: 30_000,
}, async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { url, time, core, appended } = await openBoth(t)
  const first = await sealingKey(url)
  // Who has no token: the first of a client is recorded at once.
  for (let n = 0; n < 3; n++) assert.equal((await ask(url, '/v1/keys')).status, 401)
  // Who has no session: all are counted.
  for (let n = 0; n < 2; n++) assert.equal((await ask(url, '/kbs/v0/attest', {})).status, 401)
  time.now = later(START, DAY)
  await core.keys.maintain()
  assert.equal(await sealingKey(url), first, 'nobody told it of the other')

  const recorded: JsonObject[] = []
  const all = new Promise<void>(resolve => {
    appended.on('entry', entry => {
      recorded.push(entry)
      if (recorded.length === 2) resolve()
    })
  })
  t.mock.timers.tick(MINUTE)
  await all
  const at = time.now.toISOString()
  assert.deepEqual(
    recorded.map(entry => [entry['type'], entry['at'], entry['count']]),
    [
      ['admin.refused', at, 2],
      ['attestation.refused', at, 2],
    ],
  )
  const second = await sealingKey(url)
  assert.notEqual(second, first)
  const keys = await core.keys.describe()
  assert.equal(keys.find(({ purpose, state }) => purpose === 'session' && state === 'current')?.id, second)
})

test('a session ends by the clock that a desk was given', async t => {
  const { url, time } = await openBoth(t)
  const challenged = await ask(url, '/kbs/v0/auth', AUTH)
  const cookie = challenged.headers.get('set-cookie') ?? ''
  assert.match(cookie, new RegExp(`Expires=${later(START, 5 * MINUTE).toUTCString()}`))
  const attest = async () => {
    const headers = { cookie: cookie.split(';')[0] ?? '', 'content-type': 'application/json' }
    const answer = await fetch(`${url}/kbs/v0/attest`, { method: 'POST', headers, body: '{}' })
    const { detail } = (await answer.json()) as { detail: string }
    return detail.split(':')[0]
  }
  assert.equal(await attest(), 'request-malformed')
  time.now = later(START, 5 * MINUTE)
  assert.equal(await attest(), 'session-expired')
})
