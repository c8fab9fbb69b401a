// Clocks that are set while a broker runs, and between two runs: nobody waits longer for it, and keys are there to work with.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { REFUSALS_PER_CLIENT_AND_HOUR } from '../../src/attestation/refusal-limit.ts'
import { ClientLimit } from '../../src/client-limit.ts'
import { UNITS_PER_CHALLENGE } from '../../src/http/stranger-allowance.ts'
import { ClockWatch } from '../../src/lifecycle/clock-watch.ts'
import { DAY, HOUR, later, MINUTE, openTestBroker, SECOND, START, type TestBroker } from '../broker.ts'

const RUNS = process.env['CASEMATE_LONG_TESTS'] === undefined ? 12 : 400

/** A session is sealed and opened, a token signed and verified. */
async function works({ context, clock }: TestBroker): Promise<void> {
  const { sessionKeys, tokenKeys } = context
  const sealed = await sessionKeys.sealSession({ stage: 'test' }, later(clock, MINUTE))
  assert.deepEqual(await sessionKeys.openSession(sealed, clock), { stage: 'test' })
  const token = await tokenKeys.signToken({ exp: clock.getTime() / 1000 + 60 })
  await tokenKeys.verifyToken(token, clock)
}

const challenge = async ({ app }: TestBroker) => {
  const payload = { version: '0.4.0', tee: 'snp', 'extra-params': '' }
  return (await app.inject({ method: 'POST', url: '/kbs/v0/auth', payload })).statusCode
}

/** Whether a new connection is answered before it is closed. */
function isServed(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
  return new Promise(resolve => {
    socket.on('data', () => {
      resolve(true)
      socket.destroy()
    })
    socket.on('error', () => undefined).on('close', () => resolve(false))
  })
}

describe('a clock that is set', () => {
  test('back by hours makes no known client wait', async t => {
    const broker = await openTestBroker({ flags: { 'auth-limit': '2' } })
    t.after(() => broker.close())
    for (let n = 0; n < 2; n++) assert.equal(await challenge(broker), 200)
    assert.equal(await challenge(broker), 429)
    broker.step(-6 * HOUR)
    broker.clock = later(broker.clock, MINUTE)
    assert.equal(await challenge(broker), 200)
  })

  test('forward gives nobody a second helping', async t => {
    const broker = await openTestBroker({ flags: { 'auth-limit': '2' } })
    t.after(() => broker.close())
    for (let n = 0; n < 2; n++) assert.equal(await challenge(broker), 200)
    broker.step(6 * HOUR)
    assert.equal(await challenge(broker), 429)
  })

  test('neither ends the windows in which refused attempts are counted, nor keeps them open', async t => {
    const broker = await openTestBroker()
    t.after(() => broker.close())
    const counts = async () => (await broker.entries('admin.refused')).map(entry => entry['count'])
    for (let n = 0; n < 3; n++) await broker.send('GET', '/v1/tokens', { token: null })
    broker.step(2 * HOUR)
    await broker.housekeeping.run()
    assert.deepEqual(await counts(), [1])
    broker.step(-6 * HOUR)
    broker.clock = later(broker.clock, MINUTE)
    await broker.housekeeping.run()
    assert.deepEqual(await counts(), [1, 2])
  })

  test('neither gives a client more refusals in full, nor takes them from it', async t => {
    const broker = await openTestBroker()
    t.after(() => broker.close())
    const { refusals } = broker.context
    const client = '192.0.2.1'
    for (let n = 0; n < REFUSALS_PER_CLIENT_AND_HOUR; n++) assert.ok(refusals.take(client))
    broker.step(2 * HOUR)
    assert.equal(refusals.take(client), false)
    broker.step(-6 * HOUR)
    broker.clock = later(broker.clock, HOUR / REFUSALS_PER_CLIENT_AND_HOUR)
    assert.ok(refusals.take(client))
  })

  test('neither gives a client more new connections, nor takes them from it', async t => {
    const broker = await openTestBroker({ flags: { 'auth-limit': '1' } })
    t.after(() => broker.close())
    const url = await broker.app.listen({ host: '127.0.0.1', port: 0 })
    const port = Number(new URL(url).port)
    // Each takes a unit, and a tenth for its answer.
    for (let n = 1; n < UNITS_PER_CHALLENGE; n++) assert.ok(await isServed(port))
    assert.equal(await isServed(port), false)
    broker.step(2 * HOUR)
    assert.equal(await isServed(port), false)
    broker.step(-6 * HOUR)
    broker.clock = later(broker.clock, MINUTE / UNITS_PER_CHALLENGE)
    assert.ok(await isServed(port))
  })

  test('right after a first start that was two hours ahead leaves a broker that works', async t => {
    let broker = await openTestBroker({ clock: later(START, 2 * HOUR) })
    t.after(() => broker.close())
    broker.step(-2 * HOUR)
    assert.equal(await challenge(broker), 200)
    await works(broker)
    broker = await broker.reopen()
    await works(broker)
  })

  test('right between two starts leaves a broker that works', async t => {
    const first = await openTestBroker({ clock: later(START, 2 * HOUR) })
    await first.close('keep-data')
    const broker = await openTestBroker({ dataDir: first.dataDir, admin: first.admin })
    t.after(() => broker.close())
    const states = (await broker.send('GET', '/v1/keys')).body.items
      .filter(({ state }: { state: string }) => state === 'current')
      .map(({ purpose }: { purpose: string }) => purpose)
    assert.ok(states.includes('token') && states.includes('session'))
    await works(broker)
  })

  test('makes one key however many need it at once', async t => {
    const broker = await openTestBroker({ clock: later(START, 2 * HOUR) })
    t.after(() => broker.close())
    broker.step(-2 * HOUR)
    await Promise.all(Array.from({ length: 20 }, () => works(broker)))
    assert.equal((await broker.entries('key.rotated')).length, 2)
  })

  test('right after a rotation under a clock weeks ahead leaves no key in use or published until then', async t => {
    const broker = await openTestBroker()
    t.after(() => broker.close())
    const rotate = () => broker.send('POST', '/v1/keys/rotate', { payload: { key: 'signing' } })
    broker.step(60 * DAY)
    assert.equal((await rotate()).status, 200)
    await broker.housekeeping.run()
    broker.step(-60 * DAY)
    // Such as for a key that may have leaked.
    assert.equal((await rotate()).status, 200)
    broker.clock = later(broker.clock, DAY)
    await broker.housekeeping.run()
    broker.clock = later(broker.clock, HOUR)
    await broker.housekeeping.run()
    const listed = (await broker.send('GET', '/v1/keys')).body.items as { purpose: string; state: string }[]
    for (const purpose of ['token', 'session']) {
      const states = listed.filter(key => key.purpose === purpose).map(({ state }) => state)
      assert.deepEqual(states, ['current'], purpose)
    }
  })

  test('is told in the log and in the ledger, once', async t => {
    const broker = await openTestBroker()
    t.after(() => broker.close())
    broker.clock = later(broker.clock, MINUTE)
    await broker.housekeeping.run()
    assert.equal((await broker.entries('clock.stepped')).length, 0)
    broker.step(-HOUR)
    await broker.housekeeping.run()
    await broker.housekeeping.run()
    const told = (await broker.entries('clock.stepped')).map(entry => entry['stepMs'])
    assert.deepEqual(told, [-HOUR])
    assert.ok(broker.log.some(line => line.includes('the clock was set')))
  })

  test('lets nothing old be purged for an hour, in which somebody may set it right', async t => {
    const broker = await openTestBroker()
    t.after(() => broker.close())
    const { attestations } = broker.context.store
    const looked = ['purgeRefused', 'purgeEvidence'].map(name =>
      t.mock.method(attestations, name as 'purgeEvidence'),
    )
    const looks = () => looked.map(({ mock }) => mock.callCount())
    broker.step(400 * DAY)
    await broker.housekeeping.run()
    broker.clock = later(broker.clock, HOUR - SECOND)
    await broker.housekeeping.run()
    assert.deepEqual(looks(), [0, 0])
    broker.clock = later(broker.clock, SECOND)
    await broker.housekeeping.run()
    assert.deepEqual(looks(), [1, 1])
  })

  test('within what corrections of a running clock come to is no step', () => {
    let wall = 0
    const watch = new ClockWatch(
      () => new Date(wall),
      () => 0,
    )
    wall = 1.5 * SECOND
    assert.equal(watch.look(), 0)
    wall += 2 * SECOND
    assert.equal(watch.look(), 2 * SECOND)
  })

  test('to anything, again and again, never stops the broker', async () => {
    const jump = fc.oneof(
      fc.constantFrom(-DAY, -2 * HOUR, -HOUR, HOUR, 2 * HOUR, DAY, 400 * DAY),
      fc.integer({ min: -400 * DAY, max: 400 * DAY }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(jump, { minLength: 1, maxLength: 6 }), async jumps => {
        const broker = await openTestBroker()
        try {
          for (const ms of jumps) {
            broker.step(ms)
            await works(broker)
            broker.clock = later(broker.clock, MINUTE)
            await broker.housekeeping.run()
            await works(broker)
            assert.equal(await challenge(broker), 200)
          }
        } finally {
          await broker.close()
        }
      }),
      { numRuns: RUNS },
    )
  })
})

test('no client waits longer than a window, whatever it did', () => {
  let elapsed = 0
  const limit = new ClientLimit({ count: 3, windowMs: MINUTE, elapsedMs: () => elapsed })
  for (let n = 0; n < 50; n++) assert.ok(limit.take('192.0.2.1') <= MINUTE)
  elapsed += MINUTE
  assert.equal(limit.take('192.0.2.1'), 0)
  assert.equal(limit.charge('192.0.2.1', 10_000), false)
  assert.ok(limit.take('192.0.2.1') <= MINUTE)
  elapsed += MINUTE
  assert.equal(limit.take('192.0.2.1'), 0)
})

test('a client is remembered until ten thousand others were seen after it, and not for ever', () => {
  const limit = new ClientLimit({ count: 1, windowMs: MINUTE, elapsedMs: () => 0 })
  const others = (count: number, net: number) => {
    for (let n = 0; n < count; n++) limit.take(`10.${net}.${n >> 8}.${n & 255}`)
  }
  assert.equal(limit.take('192.0.2.1'), 0)
  others(9_999, 0)
  assert.ok(limit.take('192.0.2.1') > 0)
  others(20_000, 1)
  assert.equal(limit.take('192.0.2.1'), 0)
})
