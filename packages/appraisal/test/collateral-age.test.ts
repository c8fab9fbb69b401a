// How old the vendor's papers may be: what the policy can write, and until when what it accepts stays fresh. Each limit
// alone is among the expectations.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readEndorsements, recognise, verify } from '@casemate/evidence'
import { createAmdPlatform, createIntelPlatform } from '@casemate/simulator'
import { AppraisalConfigError, appraise, isCollateralTooOld, parsePolicy } from '../src/index.ts'
import { NOW, REPORT_DATA, SGX, SNP, TDX, withClaim } from './claims.ts'
import { BINDING, NO_REFERENCES, open } from './policies.ts'

const DAY_MS = 86_400_000

const limited = (maxCollateralAge: unknown) =>
  open({ tcb: { statuses: 'any', advisories: 'any', maxCollateralAge } })

const appraised = (claims: typeof SGX | typeof TDX | typeof SNP, maxCollateralAge: unknown) =>
  appraise({
    claims,
    references: NO_REFERENCES,
    policy: limited(maxCollateralAge),
    binding: BINDING,
    now: NOW,
  })

const paths = ({ violations }: ReturnType<typeof appraise>) => violations.map(({ path }) => path)

test('one duration bounds what is issued for a month, and leaves the lists of roots open by name', () => {
  const { maxCollateralAge } = limited('12h').tcb
  assert.deepEqual(maxCollateralAge, {
    tcbInfo: '12h',
    qeIdentity: '12h',
    pckCrl: '12h',
    rootCrl: 'any',
    arkCrl: 'any',
  })
  const refused = appraised(TDX, '12h')
  assert.deepEqual(
    paths(refused),
    ['tcbInfo', 'qeIdentity', 'pckCrl'].map(kind => `tcb.maxCollateralAge.${kind}`),
  )
  assert.ok(refused.unchecked.includes('tcb.maxCollateralAge.rootCrl'))
  assert.ok(!refused.unchecked.includes('tcb.maxCollateralAge.arkCrl'))
  const snp = appraised(SNP, '12h')
  assert.deepEqual(paths(snp), [])
  assert.deepEqual(
    snp.unchecked.filter(path => path.startsWith('tcb')),
    ['tcb.maxCollateralAge.arkCrl'],
  )
})

test('a limit of one kind leaves the others to the preset', () => {
  assert.deepEqual(paths(appraised(TDX, { qeIdentity: '1d', rootCrl: '30d' })), [
    'tcb.maxCollateralAge.qeIdentity',
    'tcb.maxCollateralAge.rootCrl',
  ])
  assert.deepEqual(paths(appraised(SNP, { arkCrl: '30d' })), ['tcb.maxCollateralAge.arkCrl'])
})

test('what is accepted stays fresh until the first of its papers is too old', () => {
  assert.equal(appraised(TDX, 'any').freshUntil, null)
  assert.equal(appraised(SNP, '7d').freshUntil, null)
  assert.equal(appraised(TDX, '7d').freshUntil, '2025-09-06T12:00:00.000Z')
  const mixed = withClaim(TDX, 'collateral.pckCrl', '2025-08-29T12:00:00Z')
  assert.equal(appraised(mixed, { tcbInfo: '7d', pckCrl: '4d' }).freshUntil, '2025-09-02T12:00:00.000Z')
})

test('what is no duration is refused with its place, and so is an unknown kind of collateral', () => {
  const problem = (maxCollateralAge: unknown) => {
    try {
      limited(maxCollateralAge)
    } catch (error) {
      assert.ok(error instanceof AppraisalConfigError)
      const [first, second] = error.problems
      assert.equal(second, undefined)
      return first
    }
    return assert.fail('accepted')
  }
  for (const wrong of ['7', '7 days', '0d', '-1d', '7w', '1.5d', '', 7, true, null, ['7d']]) {
    assert.equal(problem(wrong)?.path, 'tcb.maxCollateralAge', String(wrong))
    assert.equal(problem({ pckCrl: wrong })?.path, 'tcb.maxCollateralAge.pckCrl', String(wrong))
  }
  assert.equal(problem({ tcbInf: '7d' })?.hint, 'did you mean tcbInfo?')
})

test('a policy that extends nothing states every kind, or one duration for them', () => {
  const { name: _name, version: _version, ...complete } = open()
  const document = { ...complete, name: 'complete', version: 1 }
  const withAge = (maxCollateralAge: unknown) =>
    parsePolicy({ ...document, tcb: { ...document.tcb, maxCollateralAge } })
  assert.equal(withAge('7d').tcb.maxCollateralAge.tcbInfo, '7d')
  assert.throws(() => withAge({ tcbInfo: '7d' }), AppraisalConfigError)
})

test('collateral of 25 days is accepted by a policy without a limit and refused by one of 7 days', async () => {
  const issued = new Date('2026-11-05T03:00:00Z')
  const now = new Date(issued.getTime() + 25 * DAY_MS)
  const platform = await createIntelPlatform({ now: issued })
  const reportData = Uint8Array.from(Buffer.from(REPORT_DATA, 'hex'))
  const judge = async (quote: Uint8Array, at: Date, endorsements = platform.endorsements) => {
    const { claims } = await verify(recognise(quote), readEndorsements(endorsements), {
      now: at,
      anchors: platform.anchors,
      minTcbEvaluationDataNumber: 'any',
    })
    const with7d = appraise({
      claims,
      references: NO_REFERENCES,
      policy: limited('7d'),
      binding: { reportData: 'any', initDataDigest: 'any' },
      now: at,
    })
    return { claims, with7d }
  }
  for (const quote of [platform.tdxQuote({ reportData }), platform.sgxQuote({ reportData })]) {
    const old = await judge(quote, now)
    assert.deepEqual(old.claims.collateral, {
      tcbInfo: '2026-11-05T03:00:00Z',
      qeIdentity: '2026-11-05T03:00:00Z',
      pckCrl: '2026-11-05T03:00:00Z',
      rootCrl: '2026-11-05T03:00:00Z',
      arkCrl: null,
    })
    assert.equal(old.with7d.accepted, false)
    assert.deepEqual(
      old.with7d.violations.map(({ got }) => got),
      Array(3).fill('2026-11-05T03:00:00Z'),
    )
    const fresh = await judge(quote, now, platform.endorsementsAt(new Date(now.getTime() - DAY_MS)))
    assert.deepEqual(fresh.with7d.violations, [])
  }
})

test('each of Intel’s papers has its own age', async () => {
  const now = new Date('2026-11-30T03:00:00Z')
  const at = (days: number) => new Date(now.getTime() - days * DAY_MS)
  const platform = await createIntelPlatform({ now: at(30) })
  const issued = { 'tdx-tcb-info.json': 1, 'td-qe-identity.json': 2, 'pck-crl.der': 3, 'root-ca-crl.der': 4 }
  const papers = Object.entries(issued).flatMap(([name, days]) =>
    platform.endorsementsAt(at(days)).filter(it => it.name === name),
  )
  const others = platform.endorsements.filter(({ name }) => !Object.hasOwn(issued, name))
  const quote = recognise(platform.tdxQuote({ reportData: new Uint8Array(64) }))
  const options = { now, anchors: platform.anchors, minTcbEvaluationDataNumber: 'any' as const }
  const { claims } = await verify(quote, readEndorsements([...papers, ...others]), options)
  assert.deepEqual(claims.collateral, {
    tcbInfo: '2026-11-29T03:00:00Z',
    qeIdentity: '2026-11-28T03:00:00Z',
    pckCrl: '2026-11-27T03:00:00Z',
    rootCrl: '2026-11-26T03:00:00Z',
    arkCrl: null,
  })
})

test('newer collateral is worth asking for where one paper of several is too old', () => {
  assert.equal(isCollateralTooOld(limited({ tcbInfo: '9999d', qeIdentity: '1s' }), TDX, NOW), true)
  assert.equal(isCollateralTooOld(limited({ tcbInfo: '9999d', qeIdentity: '9999d' }), TDX, NOW), false)
  assert.equal(isCollateralTooOld(limited('any'), TDX, NOW), false)
})

test('the list of AMD’s root has its age, and where none was used there is none', async () => {
  const now = new Date('2026-11-30T03:00:00Z')
  const platform = await createAmdPlatform({ now, modulusBits: 2048 })
  const report = recognise(platform.snpReport({ reportData: new Uint8Array(64) }))
  const options = { now, anchors: platform.anchors, minTcbEvaluationDataNumber: 'any' as const }
  const arkCrlOf = async (without: string) => {
    const sources = [...platform.endorsements].filter(({ name }) => name !== without)
    return (await verify(report, readEndorsements(sources), options)).claims.collateral.arkCrl
  }
  assert.equal(await arkCrlOf(''), '2026-11-30T03:00:00Z')
  assert.equal(await arkCrlOf('crl.der'), null)
})

test('an appraisal at no time is a mistake of its caller', () => {
  const input = { claims: TDX, references: NO_REFERENCES, policy: limited('any'), binding: BINDING }
  assert.throws(() => appraise({ ...input, now: new Date(Number.NaN) }), TypeError)
})
