// A desk by itself, beside a keeper in this process, on clocks that a test moves: what it looks after once a minute.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { resolveConfig } from '../../../src/config/resolve.ts'
import { createLogger } from '../../../src/http/logging.ts'
import { createMetrics } from '../../../src/http/metrics.ts'
import { strangerAllowance } from '../../../src/http/stranger-allowance.ts'
import { openCore } from '../../../src/lifecycle/core.ts'
import { openDesk } from '../../../src/lifecycle/desks/desk.ts'
import { type Keeper, keeperFor, RemoteWraps } from '../../../src/lifecycle/desks/keeper.ts'
import { Line } from '../../../src/lifecycle/desks/line.ts'
import { keepersState } from '../../../src/lifecycle/shared-state.ts'
import { openState } from '../../../src/lifecycle/state.ts'
import { DAY, later, MINUTE, START, temporaryDirectory } from '../../broker.ts'
import { messagePorts } from './message-ports.ts'

const AUTH = { version: '0.4.0', tee: 'tdx', 'extra-params': '' }

async function openKeeper() {
  const dataDir = temporaryDirectory()
  const config = resolveConfig({
    flags: { 'data-dir': dataDir, offline: 'true' },
    env: {},
    file: null,
  }).values
  const time = { now: START }
  const clocks = { now: () => time.now, elapsedMs: () => time.now.getTime() }
  const state = await openState(config, clocks)
  const shared = keepersState(state, clocks.now)
  const logger = createLogger('silent')
  const deps = { ...clocks, anchors: [], endorsements: [] }
  const core = await openCore(config, { deps, state: shared, logger, metrics: createMetrics() })
  const close = async () => {
    await state.close()
    rmSync(dataDir, { recursive: true })
  }
  return { config, time, clocks, shared, logger, core, close }
}

/** A desk that serves whoever connects to `url`. */
async function openBoth(t: TestContext) {
  const { config, time, clocks, shared, logger, core, close: closeKeeper } = await openKeeper()
  const left = { isLeft: false }
  const { ends, close } = messagePorts()
  const health = { check: async () => null, isClosing: () => false }
  const allowance = strangerAllowance(config, clocks.elapsedMs)
  const wraps = new RemoteWraps(shared.wraps)
  const told = { onClosed: () => undefined, onFailed: () => undefined, forget: async () => undefined }
  void new Line<object>(ends[1], keeperFor({ shared, health, logger, allowance, wraps, ...told }))
  const { ledger, ledgerKey, files } = shared
  const opening = {
    config,
    ledger: { origin: ledger.origin, key: ledgerKey, files },
    number: 1,
    anchors: [],
    endorsements: [],
  }
  const desk = await openDesk(opening, {
    line: new Line<Keeper>(ends[0], {}),
    isLeft: () => left.isLeft,
    ...clocks,
  })
  let connections = 0
  const door = createServer(socket => desk.connections.serve(socket, ++connections))
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  t.after(async () => {
    door.close()
    await desk.close(0)
    close()
    await closeKeeper()
  })
  return { url: `http://127.0.0.1:${(door.address() as AddressInfo).port}`, time, core, ledger, left }
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
  const { url, time, core, ledger } = await openBoth(t)
  const first = await sealingKey(url)
  // Who has no token: the first of a client is recorded at once.
  for (let n = 0; n < 3; n++) assert.equal((await ask(url, '/v1/keys')).status, 401)
  // Who has no session: all are counted.
  for (let n = 0; n < 2; n++) assert.equal((await ask(url, '/kbs/v0/attest', {})).status, 401)
  time.now = later(START, DAY)
  await core.keys.maintain()
  assert.equal(await sealingKey(url), first, 'nobody told it of the other')

  const from = await ledger.currentSize()
  t.mock.timers.tick(MINUTE)
  while ((await ledger.currentSize()) < from + 2) await new Promise(resolve => setImmediate(resolve))
  const recorded = await ledger.entries({ from, limit: 10 })
  const at = time.now.toISOString()
  assert.deepEqual(
    recorded.map(({ entry }) => [entry?.['type'], entry?.['at'], entry?.['count']]),
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

test('a desk whose keeper has ended writes nothing more, and says so', async t => {
  const { url, ledger, left } = await openBoth(t)
  assert.equal((await ask(url, '/readyz')).status, 200)
  const size = await ledger.currentSize()
  left.isLeft = true
  // Who has no token: the first of a client is recorded at once.
  assert.equal((await ask(url, '/v1/keys')).status, 503)
  const answer = await fetch(`${url}/readyz`, { headers: { connection: 'close' } })
  const { reason } = (await answer.json()) as { reason: string }
  assert.deepEqual([answer.status, reason], [503, 'directory-lost'])
  assert.equal(await ledger.currentSize(), size)
  left.isLeft = false
})
