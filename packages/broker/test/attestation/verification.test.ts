// Endorsements that have to be fetched: when they are, and what becomes of evidence where they cannot be had.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { parsePolicy } from '@casemate/appraisal'
import {
  type Endorsements,
  mergeEndorsements,
  NO_ENDORSEMENTS,
  parse,
  Refusal,
  readEndorsements,
} from '@casemate/evidence'
import { Unavailable } from '@casemate/evidence/node'
import {
  type AmdPlatform,
  createAmdPlatform,
  createIntelPlatform,
  type IntelPlatform,
} from '@casemate/simulator'
import { startService } from '../../../evidence/test/node/fetch-server.ts'
import { createPipeline } from '../../src/attestation/pipeline.ts'
import { verifyEvidence } from '../../src/attestation/verification.ts'
import { BrokerError } from '../../src/errors.ts'
import { Guest } from '../kbs/guest.ts'
import { GUEST_KEYS } from '../kbs/guest-jwe.ts'
import { LENIENT, openHarness, START } from '../kbs/harness.ts'

const POLICY = parsePolicy(LENIENT)

let intel: IntelPlatform
let evidence: Uint8Array

before(async () => {
  intel = await createIntelPlatform({ now: START })
  evidence = intel.tdxQuote({ reportData: Buffer.alloc(64, 1) })
})

test('what is not at hand is fetched once it is needed, and verified like everything else', async () => {
  const known = readEndorsements(intel.endorsements)
  const [anchors, parsed] = [intel.anchors, parse(evidence)]
  let fetches = 0
  const fetcher = {
    fetchFor: async () => {
      fetches += 1
      return known
    },
  }
  const bare = { anchors, endorsements: NO_ENDORSEMENTS }
  await verifyEvidence({ ...bare, fetcher }, { evidence: parsed, at: START, client: null, policy: POLICY })
  assert.equal(fetches, 1)
  await verifyEvidence(
    { anchors, endorsements: known, fetcher },
    { evidence: parsed, at: START, client: null, policy: POLICY },
  )
  assert.equal(fetches, 1)
  const missing = (error: unknown) => error instanceof Refusal
  await assert.rejects(
    verifyEvidence({ ...bare, fetcher: null }, { evidence: parsed, at: START, client: null, policy: POLICY }),
    missing,
  )
  const useless = { fetchFor: async () => mergeEndorsements(NO_ENDORSEMENTS) }
  await assert.rejects(
    verifyEvidence(
      { ...bare, fetcher: useless },
      { evidence: parsed, at: START, client: null, policy: POLICY },
    ),
    missing,
  )
})

test('what is older than the policy allows is fetched anew, and where nothing newer is to be had it is refused', async t => {
  const at = new Date(START.getTime() + 25 * 86_400_000)
  const old = readEndorsements(intel.endorsements)
  const newer = readEndorsements(intel.endorsementsAt(new Date(at.getTime() - 86_400_000)))
  const policy = parsePolicy({ ...LENIENT, tcb: { maxCollateralAge: '7d' } })
  const asked: unknown[] = []
  const fetchFor = async (_evidence: unknown, _client: unknown, maxAges: unknown) => {
    asked.push(maxAges)
    return newer
  }
  const parts = { anchors: intel.anchors, endorsements: old, fetcher: { fetchFor } }
  const request = { evidence: parse(evidence), at, client: null, policy }
  const { claims } = await verifyEvidence(parts, request)
  assert.equal(claims.collateral.tcbInfo, '2026-12-16T12:00:00Z')
  assert.deepEqual(asked, [{ tcbInfo: 604_800_000, qeIdentity: 604_800_000, pckCrl: 604_800_000 }])
  await verifyEvidence(parts, { ...request, policy: POLICY })
  assert.equal(asked.length, 1)
  const unreachable = { fetchFor: () => Promise.reject(new Unavailable('no answer')) }
  const kept = await verifyEvidence({ ...parts, fetcher: unreachable }, request)
  assert.equal(kept.claims.collateral.tcbInfo, '2026-11-22T12:00:00Z')
  const broker = await openHarness({ platforms: [intel] })
  t.after(() => broker.close())
  const explanation = await createPipeline(broker.context).explain({
    endorsements: [],
    evidence,
    at,
    policy: { ...LENIENT, tcb: { maxCollateralAge: '7d' } },
  })
  assert.equal(explanation['code'], 'appraisal-refused')
})

test('a refusal that no endorsement could cure is not a reason to fetch', async () => {
  const rogue = await createIntelPlatform({ now: START })
  const fetcher = { fetchFor: () => assert.fail('fetched') }
  const parsed = parse(rogue.tdxQuote({ reportData: Buffer.alloc(64) }))
  const parts = { anchors: intel.anchors, endorsements: readEndorsements(rogue.endorsements), fetcher }
  await assert.rejects(verifyEvidence(parts, { evidence: parsed, at: START, client: null, policy: POLICY }), {
    code: 'chain-untrusted',
  })
})

test('a vendor that does not answer is not a verdict, and it is said when to ask again', async () => {
  const fetcher = {
    fetchFor: async () => {
      throw new Unavailable('no answer', { retryAfterMs: 7000 })
    },
  }
  const parts = { anchors: intel.anchors, endorsements: NO_ENDORSEMENTS, fetcher }
  const request = { evidence: parse(evidence), at: START, client: null, policy: POLICY }
  await assert.rejects(verifyEvidence(parts, request), (error: unknown) => {
    assert.ok(error instanceof BrokerError)
    assert.equal(error.detail.retryAfterMs, 7000)
    assert.match(error.detail.hint ?? '', /--endorsements.*; those of a simulated machine last 30 days/)
    return error.code === 'endorsements-unavailable'
  })
  const real = { ...parts, anchors: intel.anchors.map(one => ({ ...one, simulated: false })) }
  await assert.rejects(verifyEvidence(real, { ...request, client: 'a guest' }), (error: unknown) => {
    assert.ok(error instanceof BrokerError)
    assert.doesNotMatch(error.detail.hint ?? '', /--endorsements|simulated/)
    return true
  })
})

test('a guest that brings its certificates is checked against the revocation list all the same', async () => {
  const good = await createAmdPlatform({ now: START, modulusBits: 2048 })
  const bad = await createAmdPlatform({
    now: START,
    modulusBits: 2048,
    faults: { revoked: ['intermediate'] },
  })
  const listOf = (sources: AmdPlatform['endorsements']) =>
    readEndorsements(sources.filter(({ name }) => name === 'crl.der'))
  const revocation = async (
    platform: AmdPlatform,
    fetchFor: () => Promise<Endorsements>,
    given: AmdPlatform['endorsements'] = [],
  ) => {
    const own = [...platform.endorsements.filter(({ name }) => name !== 'crl.der'), ...given]
    const { claims } = await verifyEvidence(
      { anchors: platform.anchors, endorsements: readEndorsements(own), fetcher: { fetchFor } },
      {
        evidence: parse(platform.snpReport({ reportData: Buffer.alloc(64) })),
        at: START,
        client: 'x',
        policy: POLICY,
      },
    )
    return claims.kind === 'snp' ? claims.snp.revocation : null
  }
  assert.equal(await revocation(good, async () => listOf(good.endorsements)), 'checked')
  const revoked = revocation(bad, async () => listOf(bad.endorsements))
  await assert.rejects(revoked, { code: 'certificate-revoked' })
  // Then the claim says that nothing was looked at, which is the policy's to judge.
  assert.equal(await revocation(bad, () => Promise.reject(new Unavailable('no answer'))), 'not-supplied')
  const future = listOf(good.endorsementsAt(new Date(START.getTime() + 86_400_000)))
  assert.equal(await revocation(good, async () => future), 'outside-window')
  // A list that has expired meanwhile is replaced, and is none where no other can be had.
  const longAgo = new Date(START.getTime() - 400 * 86_400_000)
  const expired = good.endorsementsAt(longAgo).filter(({ name }) => name === 'crl.der')
  assert.equal(await revocation(good, async () => listOf(good.endorsements), expired), 'checked')
  const noAnswer = () => Promise.reject(new Unavailable('no answer'))
  assert.equal(await revocation(good, noAnswer, expired), 'outside-window')
  const bug = revocation(good, () => Promise.reject(new TypeError('a bug')))
  await assert.rejects(bug, TypeError)
})

test('the edition of Intel’s collateral that is set is the one that is fetched', async () => {
  const pccs = await startService({})
  try {
    for (const [setting, value, query] of [
      ['tcb-update', 'early', 'update=early'],
      ['tcb-update', 'none', 'update=standard'],
      ['tcb-evaluation-data-number', '17', 'tcbEvaluationDataNumber=17'],
    ] as const) {
      pccs.asked.length = 0
      const flags = { offline: 'false', 'pcs-url': pccs.url, [setting]: value }
      const bare = await openHarness({ platforms: [{ anchors: intel.anchors, endorsements: [] }], flags })
      await createPipeline(bare.context).explain({ endorsements: [], evidence, at: START, policy: 'default' })
      await bare.close()
      const identity = `/tdx/certification/v4/qe/identity?${query}`
      assert.ok(pccs.asked.includes(identity), pccs.asked.join(' '))
    }
  } finally {
    await pccs.close()
  }
})

test('AMD’s list is fetched and kept, and a policy that wants it gets it', async () => {
  const amd = await createAmdPlatform({ now: START, modulusBits: 2048 })
  const crl = amd.endorsements.find(({ name }) => name === 'crl.der')?.bytes
  const kds = await startService({})
  kds.otherwise = path => (path.endsWith('/crl') ? { body: crl! } : null)
  const strict = await openHarness({
    platforms: [
      { anchors: amd.anchors, endorsements: amd.endorsements.filter(({ name }) => name !== 'crl.der') },
    ],
    flags: { offline: 'false', 'kds-url': kds.url, 'pcs-url': 'http://127.0.0.1:9' },
    policy: { ...LENIENT, snp: { ...LENIENT.snp, revocation: 'checked' } },
  })
  try {
    for (let n = 0; n < 2; n++) {
      const guest = new Guest({
        app: strict.app,
        key: GUEST_KEYS['P-256'](),
        tee: 'snp',
        evidence: reportData => amd.kbsEvidence(amd.snpReport({ reportData })),
      })
      assert.equal((await guest.handshake()).status, 200)
    }
    assert.equal(kds.asked.filter(path => path.endsWith('/crl')).length, 1)
  } finally {
    await strict.close()
    await kds.close()
  }
})
