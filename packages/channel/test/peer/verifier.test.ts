// Verdicts are found once for all sessions of a peer that begin together, and remembered; nobody waits for ever.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { parsePolicy } from '@casemate/appraisal'
import { type Endorsements, readEndorsements } from '@casemate/evidence'
import { createIntelPlatform } from '@casemate/simulator'
import { connectAttested } from '../../src/index.ts'
import { verifierOf } from '../../src/peer/verifier.ts'
import { identityOf, intelMachine, LAPTOP, listenerOf, machineOf, rejectsCode } from '../fixtures.ts'
import { rogueClient } from '../session/rogue.ts'

const DAY_MS = 86_400_000

async function peerOf(t: TestContext) {
  const machine = await intelMachine('tdx')
  const listener = await listenerOf(t, await identityOf(t, machine.driver))
  const certificate = (await rogueClient(t, listener)).getPeerX509Certificate()!
  return { machine, listener, certificate }
}

test('a verdict that is not found in time is not waited for by those who come later', async t => {
  const { machine, certificate } = await peerOf(t)
  const bag = machine.demands.endorsements
  assert.ok(typeof bag !== 'function')
  let asked = 0
  const demands = {
    ...machine.demands,
    endorsements: async () => (asked++ === 0 ? new Promise<never>(() => undefined) : bag),
  }
  const begunMs = performance.now()
  const verifier = verifierOf(demands)
  void verifier.verdict(certificate)
  t.mock.method(performance, 'now', () => begunMs + 60_000)
  assert.equal((await verifier.verdict(certificate)).peer.result.accepted, true)
  assert.equal(asked, 2)
})

test('where no endorsements can be had, what a person can do is said', async t => {
  const { machine, certificate } = await peerOf(t)
  const failure = Object.assign(new Error('the certificate of pccs.example is not trusted'), {
    hint: 'name it',
  })
  const verifier = verifierOf({ ...machine.demands, endorsements: () => Promise.reject(failure) })
  await assert.rejects(verifier.verdict(certificate), {
    code: 'endorsements-unavailable',
    message: /pccs\.example/,
    hint: 'name it',
  })
})

test('a verdict that ends later than that of a session is found once', async t => {
  const platform = await createIntelPlatform()
  const { driver, demands } = machineOf(platform, 'tdx')
  const listener = await listenerOf(t, await identityOf(t, driver, { lifetimeMs: 90 * DAY_MS }))
  const certificate = (await rogueClient(t, listener)).getPeerX509Certificate()!
  const newer = readEndorsements(platform.endorsementsAt(new Date(Date.now() + 20 * DAY_MS)))
  let asked = 0
  const verifier = verifierOf({
    ...demands,
    endorsements: async () => (asked++ === 0 ? readEndorsements(platform.endorsements) : newer),
  })
  // The newer ones have not begun yet: looked at from the middle of both.
  const { validUntil } = (await verifier.verdict(certificate)).peer
  t.mock.method(verifier.demands, 'now', () => new Date(Date.now() + 25 * DAY_MS))
  assert.ok((await verifier.verdict(certificate, validUntil)).peer.validUntil > validUntil)
  await verifier.verdict(certificate, validUntil)
  assert.equal(asked, 2)
})

test('a verdict ends where a paper that it rests on gets older than the policy allows', async t => {
  const { machine, certificate } = await peerOf(t)
  const found = await verifierOf(machine.demands).verdict(certificate)
  const policy = parsePolicy({ ...LAPTOP, tcb: { maxCollateralAge: '10m' } })
  const { peer } = await verifierOf({ ...machine.demands, policy }).verdict(certificate)
  const issued = Date.parse(peer.claims.collateral.tcbInfo!)
  assert.equal(peer.validUntil.getTime(), issued + 600_000)
  assert.ok(found.peer.validUntil > peer.validUntil)
})

test('a verdict that comes late does not undo what was found meanwhile', async t => {
  const { machine, certificate } = await peerOf(t)
  const bag = machine.demands.endorsements
  assert.ok(typeof bag !== 'function')
  const late = Promise.withResolvers<Endorsements>()
  const answers: (Endorsements | Promise<Endorsements>)[] = [late.promise, readEndorsements([])]
  const demands = { ...machine.demands, endorsements: async () => answers.shift() ?? readEndorsements([]) }
  const verifier = verifierOf(demands)
  const first = verifier.verdict(certificate)
  const begunMs = performance.now()
  t.mock.method(performance, 'now', () => begunMs + 60_000)
  await rejectsCode('evidence-refused', verifier.verdict(certificate))
  late.resolve(bag)
  await first
  await rejectsCode('evidence-refused', verifier.verdict(certificate))
})

test('what fails in this program while a peer is looked at is an error with a code, and is not remembered', async t => {
  const { machine, listener } = await peerOf(t)
  let fails = true
  const peer = {
    ...machine.demands,
    now: () => {
      if (fails) throw new RangeError('a mistake')
      return new Date()
    },
  }
  const error = await rejectsCode('internal-error', connectAttested({ ...listener, peer }))
  assert.ok(error.cause instanceof RangeError)
  fails = false
  await (await connectAttested({ ...listener, peer })).close()
})
