// A peer is accepted for as long as what it was accepted on is valid, and not a moment longer.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { type Endorsements, readEndorsements } from '@casemate/evidence'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import {
  type AttestedConnection,
  type ChannelError,
  type ConnectOptions,
  connectAttested,
  type IdentityEvent,
  listenAttested,
  openIdentity,
  type PeerDemands,
} from '../../src/index.ts'
import { identityOf, intelMachine, listenerOf, machineOf, rejectsCode } from '../fixtures.ts'

const DAY_MS = 86_400_000

/** Documents count in whole seconds: one to two from now. */
const moment = (): Date => new Date(Math.floor(Date.now() / 1000) * 1000 + 2_000)

interface Session {
  readonly connection: AttestedConnection
  readonly ended: Promise<ChannelError | null>
  /** Another session with the same peer. */
  readonly again: ConnectOptions
}

async function session(
  t: TestContext,
  endorsementsOf: (platform: IntelPlatform) => PeerDemands['endorsements'],
): Promise<Session> {
  // Endorsements are good for 30 days: these end in a moment.
  const platform = await createIntelPlatform({ now: new Date(moment().getTime() - 30 * DAY_MS) })
  const { driver, demands } = machineOf(platform, 'tdx')
  const listener = await listenerOf(t, await identityOf(t, driver), {
    onConnection: ({ socket }) => socket.resume(),
  })
  const peer: PeerDemands = { ...demands, endorsements: endorsementsOf(platform) }
  const again = { ...listener, peer }
  const connection = await connectAttested(again)
  connection.socket.resume()
  return { connection, ended: connection.closed, again }
}

const read = ({ endorsements }: Pick<IntelPlatform, 'endorsements'>): Endorsements =>
  readEndorsements(endorsements)

describe('a session', { concurrency: true }, () => {
  test('a session ends when the endorsements that its peer was accepted on do', async t => {
    const { connection, ended } = await session(t, read)
    const [error] = (await once(connection.socket, 'error')) as [ChannelError]
    assert.equal(error.code, 'session-expired')
    assert.equal(await ended, error)
    assert.ok(Date.now() >= connection.peer!.validUntil.getTime())
  })

  test('with newer endorsements the peer is accepted again, and the session goes on', async t => {
    let asked = 0
    const { connection, ended } = await session(t, platform => {
      const first = read(platform)
      const newer = readEndorsements(platform.endorsementsAt(new Date()))
      return async () => (asked++ === 0 ? first : newer)
    })
    const first = connection.peer!.validUntil
    while (Date.now() <= first.getTime() && !connection.socket.destroyed) await setTimeout(10)
    assert.equal(asked, 2)
    assert.ok(connection.peer!.validUntil > first)
    assert.equal(connection.socket.destroyed, false)
    await connection.close()
    assert.equal(await ended, null)
  })

  test('where asking again fails, the session ends when the old verdict does', async t => {
    let asked = 0
    const { connection, ended } = await session(t, platform => {
      const bag = read(platform)
      return async () => {
        if (asked++ === 0) return bag
        throw new Error('the service is down')
      }
    })
    const error = await ended
    assert.equal(error?.code, 'session-expired')
    assert.equal((error.cause as ChannelError).code, 'endorsements-unavailable')
    assert.ok(Date.now() >= connection.peer!.validUntil.getTime())
  })

  test('where asking again is never answered, the session ends when the old verdict does', async t => {
    let asked = 0
    const { connection, ended } = await session(t, platform => {
      const bag = read(platform)
      return async () => (asked++ === 0 ? bag : new Promise<never>(() => undefined))
    })
    const error = await ended
    assert.equal(asked, 2)
    assert.equal(error?.code, 'session-expired')
    assert.ok(Date.now() >= connection.peer!.validUntil.getTime())
  })

  test('where the peer is found wanting when it is looked at again, the session ends at once', async t => {
    let asked = 0
    const { connection, ended, again } = await session(t, platform => {
      const bag = read(platform)
      return async () => (asked++ === 0 ? bag : readEndorsements([]))
    })
    const error = await ended
    assert.equal(error?.code, 'session-expired')
    assert.equal((error.cause as ChannelError).code, 'evidence-refused')
    assert.ok(new Date() < connection.peer!.validUntil)
    await rejectsCode('evidence-refused', connectAttested(again))
  })
})

test('a session that a suspend of the machine has outlived ends within a minute of its end', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let sleptMs = 0
  const machine = await intelMachine('tdx')
  const listener = await listenerOf(t, await identityOf(t, machine.driver))
  const peer = { ...machine.demands, now: () => new Date(Date.now() + sleptMs) }
  const { closed } = await connectAttested({ ...listener, peer })
  sleptMs = DAY_MS
  t.mock.timers.tick(60_000)
  assert.equal((await closed)?.code, 'session-expired')
})

test('an identity that a suspend of the machine has outlived is renewed within a minute', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let sleptMs = 0
  const machine = await intelMachine('tdx')
  const renewed = Promise.withResolvers<IdentityEvent>()
  const now = (): Date => new Date(Date.now() + sleptMs)
  const identity = await identityOf(t, machine.driver, { now, report: renewed.resolve })
  sleptMs = DAY_MS
  assert.throws(() => identity.credentials(), { code: 'identity-expired' })
  t.mock.timers.tick(60_000)
  assert.equal((await renewed.promise).type, 'identity-renewed')
  identity.credentials()
})

test('a verdict that has ended before the handshake is done opens nothing', async t => {
  const machine = await intelMachine('tdx')
  const listener = await listenerOf(t, await identityOf(t, machine.driver))
  const bag = machine.demands.endorsements
  assert.ok(typeof bag !== 'function')
  let isLate = false
  const peer: PeerDemands = {
    ...machine.demands,
    now: () => new Date(Date.now() + (isLate ? DAY_MS : 0)),
    // Asked for in time; when they have come it is too late.
    endorsements: async () => {
      isLate = true
      return bag
    },
  }
  const connection = await connectAttested({ ...listener, peer })
  assert.equal(connection.socket.destroyed, true)
  assert.equal((await connection.closed)?.code, 'session-expired')
})

test('a certificate counts within its window only, by the clock that is passed in', async t => {
  const machine = await intelMachine('tdx')
  const identity = await identityOf(t, machine.driver, { lifetimeMs: 600_000 })
  const listener = await listenAttested({
    host: '127.0.0.1',
    port: 0,
    identity,
    peers: 'anyone',
    onConnection: () => undefined,
  })
  t.after(() => listener.close())
  for (const [offsetMs, code] of [
    [700_000, 'certificate-expired'],
    [-120_000, 'certificate-not-yet-valid'],
  ] as const) {
    const peer = { ...machine.demands, now: () => new Date(Date.now() + offsetMs) }
    await rejectsCode(code, connectAttested({ ...listener, peer }))
  }
  // A verdict that is remembered ends with its windows, whichever way the clock goes.
  let offsetMs = 0
  const peer = { ...machine.demands, now: () => new Date(Date.now() + offsetMs) }
  await (await connectAttested({ ...listener, peer })).close()
  offsetMs = 700_000
  await rejectsCode('certificate-expired', connectAttested({ ...listener, peer }))
  offsetMs = -120_000
  await rejectsCode('certificate-not-yet-valid', connectAttested({ ...listener, peer }))
})

test('an identity is renewed before it ends: new sessions get the new one, old ones go on', async t => {
  const machine = await intelMachine('tdx')
  const renewed = Promise.withResolvers<IdentityEvent>()
  const identity = await identityOf(t, machine.driver, { lifetimeMs: 3_000, report: renewed.resolve })
  const listener = await listenAttested({
    host: '127.0.0.1',
    port: 0,
    identity,
    peers: 'anyone',
    onConnection: ({ socket }) => socket.pipe(socket),
  })
  t.after(() => listener.close())
  const at = { ...listener, peer: machine.demands }
  const before = await connectAttested(at)
  assert.equal((await renewed.promise).type, 'identity-renewed')
  const after = await connectAttested(at)
  assert.notDeepEqual(after.peer!.certificate, before.peer!.certificate)
  before.socket.write('still here')
  assert.equal(String((await once(before.socket, 'data'))[0]), 'still here')
  await before.close()
  await after.close()
})

test('an identity that cannot be made or renewed is an error of its own side', async t => {
  const machine = await intelMachine('tdx')
  let works = false
  const driver = {
    ...machine.driver,
    quote: async (reportData: Uint8Array) => {
      if (!works) throw new Error('the quoting service is down')
      return machine.driver.quote(reportData)
    },
  }
  await rejectsCode('identity-failed', openIdentity({ driver, statement: null }))
  works = true
  let now = new Date()
  const failed = Promise.withResolvers<IdentityEvent>()
  const identity = await identityOf(t, driver, {
    lifetimeMs: 200,
    now: () => now,
    report: failed.resolve,
  })
  works = false
  assert.equal((await failed.promise).type, 'identity-renewal-failed')
  now = new Date(now.getTime() + 10_000)
  assert.throws(() => identity.credentials(), { code: 'identity-expired' })
})
