// A peer is accepted for as long as what it was accepted on is valid, and not a moment longer.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type Endorsements, readEndorsements } from '@casemate/evidence'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import {
  type AttestedConnection,
  type ChannelError,
  type ChannelIdentity,
  type ConnectOptions,
  connectAttested,
  type IdentityEvent,
  openIdentity,
  type PeerDemands,
} from '../../src/index.ts'
import { identityOf, intelMachine, listenerOf, machineOf, rejectsCode, timersOf } from '../fixtures.ts'

const DAY_MS = 86_400_000

interface Clock {
  readonly now: () => Date
  /** Sets the clock, and lets whoever waits look at it. */
  readonly set: (to: Date) => void
}

/** No test here waits: clocks are set, and timers called. */
function clockOf(t: TestContext): Clock {
  const { tick } = timersOf(t)
  let aheadMs = 0
  return {
    now: () => new Date(Date.now() + aheadMs),
    set: to => {
      aheadMs = to.getTime() - Date.now()
      tick(60_000)
    },
  }
}

const later = (date: Date, ms: number): Date => new Date(date.getTime() + ms)

/** Resolves once both ends have opened it: what the timers of a handshake would do to one that is under way, they do. */
async function openBoth(
  t: TestContext,
  identity: ChannelIdentity,
  peer: PeerDemands,
): Promise<{ readonly connection: AttestedConnection; readonly again: ConnectOptions }> {
  const accepted = Promise.withResolvers<void>()
  const listener = await listenerOf(t, identity, {
    onConnection: ({ socket }) => {
      socket.pipe(socket)
      accepted.resolve()
    },
  })
  const again = { ...listener, peer }
  const connection = await connectAttested(again)
  await accepted.promise
  return { connection, again }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setImmediate()
}

interface Session extends Clock {
  readonly connection: AttestedConnection
  readonly ended: Promise<ChannelError | null>
  /** Until when its peer was accepted at first. */
  readonly first: Date
  /** Another session with the same peer. */
  readonly again: ConnectOptions
}

/** Endorsements are good for 30 days, and end before anything else here. */
async function session(
  t: TestContext,
  endorsementsOf: (platform: IntelPlatform) => PeerDemands['endorsements'],
): Promise<Session> {
  const clock = clockOf(t)
  const platform = await createIntelPlatform()
  const { driver, demands } = machineOf(platform, 'tdx')
  const peer: PeerDemands = { ...demands, endorsements: endorsementsOf(platform), now: clock.now }
  const identity = await identityOf(t, driver, { lifetimeMs: 90 * DAY_MS })
  const { connection, again } = await openBoth(t, identity, peer)
  connection.socket.on('error', () => undefined).resume()
  return { ...clock, connection, ended: connection.closed, first: connection.peer!.validUntil, again }
}

const read = ({ endorsements }: Pick<IntelPlatform, 'endorsements'>): Endorsements =>
  readEndorsements(endorsements)

test('a session ends when the endorsements that its peer was accepted on do', async t => {
  const { connection, ended, first, set } = await session(t, read)
  set(later(first, -1_000))
  assert.equal(connection.socket.destroyed, false)
  const failed = once(connection.socket, 'error')
  set(later(first, 1))
  const [error] = (await failed) as [ChannelError]
  assert.equal(error.code, 'session-expired')
  assert.equal(await ended, error)
})

test('with newer endorsements the peer is accepted again, and the session goes on', async t => {
  let asked = 0
  const { connection, ended, first, set } = await session(t, platform => {
    const newer = readEndorsements(platform.endorsementsAt(later(new Date(), 20 * DAY_MS)))
    return async () => (asked++ === 0 ? read(platform) : newer)
  })
  set(later(first, -30_000))
  await until(() => connection.peer!.validUntil > first)
  assert.equal(asked, 2)
  set(later(first, 1_000))
  assert.equal(connection.socket.destroyed, false)
  await connection.close()
  assert.equal(await ended, null)
})

test('of several sessions with a peer one asks again, and all go on', async t => {
  let asked = 0
  const { connection, first, again, set } = await session(t, platform => {
    const newer = readEndorsements(platform.endorsementsAt(later(new Date(), 20 * DAY_MS)))
    return async () => (asked++ === 0 ? read(platform) : newer)
  })
  const other = await connectAttested(again)
  set(later(first, -30_000))
  await until(() => [connection, other].every(({ peer }) => peer!.validUntil > first))
  assert.equal(asked, 2)
})

test('where asking again fails, the session ends when the old verdict does', async t => {
  let asked = 0
  const { connection, ended, first, set } = await session(t, platform => async () => {
    if (asked++ === 0) return read(platform)
    throw new Error('the service is down')
  })
  set(later(first, -30_000))
  await until(() => asked === 2)
  // Time for what was asked to come to nothing.
  await setImmediate()
  assert.equal(connection.socket.destroyed, false)
  set(later(first, 1))
  const error = await ended
  assert.equal(error?.code, 'session-expired')
  assert.equal((error.cause as ChannelError).code, 'endorsements-unavailable')
})

test('where asking again is never answered, the session ends when the old verdict does', async t => {
  let asked = 0
  const { ended, first, set } = await session(
    t,
    platform => async () => (asked++ === 0 ? read(platform) : new Promise<never>(() => undefined)),
  )
  set(later(first, -30_000))
  await until(() => asked === 2)
  set(later(first, 1))
  assert.equal((await ended)?.code, 'session-expired')
})

test('where the peer is found wanting when it is looked at again, the session ends at once', async t => {
  let asked = 0
  const { ended, first, again, set, now } = await session(
    t,
    platform => async () => (asked++ === 0 ? read(platform) : readEndorsements([])),
  )
  set(later(first, -30_000))
  const error = await ended
  assert.equal(error?.code, 'session-expired')
  assert.equal((error.cause as ChannelError).code, 'evidence-refused')
  assert.ok(now() < first)
  await rejectsCode('evidence-refused', connectAttested(again))
})

test('a session that a suspend of the machine has outlived ends within a minute of its end', async t => {
  const { now, set } = clockOf(t)
  const machine = await intelMachine('tdx')
  const identity = await identityOf(t, machine.driver)
  const { connection } = await openBoth(t, identity, { ...machine.demands, now })
  set(later(new Date(), DAY_MS))
  assert.equal((await connection.closed)?.code, 'session-expired')
})

test('an identity that a suspend of the machine has outlived is renewed within a minute', async t => {
  const { now, set } = clockOf(t)
  const machine = await intelMachine('tdx')
  const renewed = Promise.withResolvers<IdentityEvent>()
  const identity = await identityOf(t, machine.driver, { now, report: renewed.resolve })
  const before = identity.credentials()
  set(later(before.notAfter, 1))
  assert.throws(() => identity.credentials(), { code: 'identity-expired' })
  assert.equal((await renewed.promise).type, 'identity-renewed')
  assert.notEqual(identity.credentials(), before)
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
  const listener = await listenerOf(t, identity)
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
  const { now, set } = clockOf(t)
  const machine = await intelMachine('tdx')
  const renewed = Promise.withResolvers<IdentityEvent>()
  const identity = await identityOf(t, machine.driver, { now, report: renewed.resolve })
  const { connection: before, again } = await openBoth(t, identity, { ...machine.demands, now })
  // After two thirds of its hour.
  set(later(new Date(), 41 * 60_000))
  assert.equal((await renewed.promise).type, 'identity-renewed')
  const after = await connectAttested(again)
  assert.notDeepEqual(after.peer!.certificate, before.peer!.certificate)
  before.socket.write('still here')
  assert.equal(String((await once(before.socket, 'data'))[0]), 'still here')
  await before.close()
  await after.close()
})

test('an identity that cannot be made or renewed is an error of its own side', async t => {
  const { now, set } = clockOf(t)
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
  let failed = Promise.withResolvers<IdentityEvent>()
  const identity = await identityOf(t, driver, { now, report: event => failed.resolve(event) })
  const { notAfter } = identity.credentials()
  works = false
  set(later(notAfter, -10 * 60_000))
  assert.equal((await failed.promise).type, 'identity-renewal-failed')
  identity.credentials()
  failed = Promise.withResolvers()
  set(later(notAfter, 1))
  assert.equal((await failed.promise).type, 'identity-renewal-failed')
  assert.throws(() => identity.credentials(), { code: 'identity-expired' })
})
