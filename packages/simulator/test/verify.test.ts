// The verifier's verdicts on simulated evidence: claims, TCB statuses, the guest’s JSON forms, restored platforms.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import {
  type Claims,
  type ParsedEvidence,
  parse,
  parseKbsEvidence,
  readEndorsements,
  recognise,
  type SnpClaims,
  sampleKbsEvidence,
  sgxKbsEvidence,
  type TdxClaims,
  tdxKbsEvidence,
  verify,
} from '@casemate/evidence'
import {
  type AmdPlatform,
  amdPlatformFromJSON,
  createAmdPlatform,
  createIntelPlatform,
  type IntelPlatform,
  type IntelPlatformOptions,
  intelPlatformFromJSON,
  PREVIOUS_CPU_SVN,
  readPublicTrust,
  type TdxQuoteRequest,
} from '../src/index.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const REPORT_DATA = randomBytes(64)
const MODULUS_BITS = 2048

type Trust = Pick<IntelPlatform | AmdPlatform, 'anchors' | 'endorsements'>

async function claimsOf(evidence: ParsedEvidence, trust: Trust, now = NOW): Promise<Claims> {
  const endorsements = readEndorsements(trust.endorsements)
  const options = { now, anchors: trust.anchors, minTcbEvaluationDataNumber: 'any' } as const
  return (await verify(evidence, endorsements, options)).claims
}

const STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const

for (const status of STATUSES) {
  test(`a platform level that is ${status} makes the claim ${status}`, async () => {
    const platform = await createIntelPlatform({
      now: NOW,
      statuses: { platform: { status, advisoryIds: ['CASEMATE-SIM-SA-00009'] } },
    })
    for (const quote of [
      platform.sgxQuote({ reportData: REPORT_DATA }),
      platform.tdxQuote({ reportData: REPORT_DATA }),
    ]) {
      const claims = await claimsOf(parse(quote), platform)
      assert.equal(claims.tcbStatus, status)
      assert.deepEqual(claims.advisoryIds, ['CASEMATE-SIM-SA-00009'])
    }
  })
}

const TDX_STATUSES: readonly (readonly [string, IntelPlatformOptions, Partial<TdxQuoteRequest>, string])[] = [
  ['an older platform', { cpuSvn: PREVIOUS_CPU_SVN, pceSvn: 11 }, {}, 'OutOfDate'],
  ['an older quoting enclave', {}, { qeReport: { isvSvn: 3 } }, 'OutOfDate'],
  ['an older TDX module', {}, { teeTcbSvn: '04010300'.padEnd(32, '0') }, 'OutOfDate'],
  ['a revoked TDX module', { statuses: { module: { status: 'Revoked', advisoryIds: [] } } }, {}, 'Revoked'],
  [
    'a TD launched under an older module than runs now',
    {},
    { format: 'v5-1.5', teeTcbSvn: '04010300'.padEnd(32, '0'), teeTcbSvn2: '06010300'.padEnd(32, '0') },
    'TDRelaunchAdvised',
  ],
]

for (const [what, options, quote, status] of TDX_STATUSES) {
  test(`${what} makes the claim ${status}`, async () => {
    const platform = await createIntelPlatform({ now: NOW, ...options })
    const evidence = parse(platform.tdxQuote({ reportData: REPORT_DATA, ...quote }))
    assert.equal((await claimsOf(evidence, platform)).tcbStatus, status)
  })
}

test('endorsements are as large as they are wanted, and say the same of the platform', async () => {
  const platform = await createIntelPlatform({ olderTcbLevels: 12, revokedStrangers: 57 })
  const bag = readEndorsements(platform.endorsements)
  for (const info of bag.tcbInfos) {
    assert.equal(info.levels.length, 14)
    for (const [index, level] of info.levels.entries()) {
      const next = info.levels[index + 1]
      if (next) {
        assert.ok(level.sgxComponents.every((svn, at) => svn >= (next.sgxComponents[at] ?? 0)))
        assert.ok(level.pceSvn >= next.pceSvn && level.date > next.date)
        assert.notDeepEqual([level.sgxComponents, level.pceSvn], [next.sgxComponents, next.pceSvn])
      }
    }
  }
  assert.deepEqual(new Set(bag.crls.map(({ revoked }) => revoked.size)), new Set([0, 57]))
  const options = { now: new Date(), anchors: platform.anchors, minTcbEvaluationDataNumber: 'any' } as const
  const { claims } = await verify(parse(platform.tdxQuote({ reportData: new Uint8Array(64) })), bag, options)
  assert.equal(claims.tcbStatus, 'UpToDate')
  for (const wrong of [-1, 1.5, 13]) {
    await assert.rejects(createIntelPlatform({ olderTcbLevels: wrong }), TypeError)
  }
})

test('the fields of a TDX request come back as claims', async () => {
  const platform = await createIntelPlatform({ now: NOW })
  const request = {
    mrTd: '21'.repeat(48),
    mrConfigId: '22'.repeat(48),
    mrOwner: '23'.repeat(48),
    rtmr0: '24'.repeat(48),
    rtmr3: '27'.repeat(48),
  }
  const quote = platform.tdxQuote({ ...request, reportData: REPORT_DATA, tdAttributes: 1 })
  const claims = (await claimsOf(parse(quote), platform)) as TdxClaims
  for (const [field, value] of Object.entries(request)) {
    assert.equal(claims.tdx[field as keyof typeof request], value, field)
  }
  assert.equal(claims.reportData, REPORT_DATA.toString('hex'))
  assert.equal(claims.debug, true)
  assert.equal(claims.hardwareId, platform.settings.ppid)
  assert.equal(claims.platform.fmspc, platform.settings.fmspc)
})

test('the fields of an SNP request come back as claims', async () => {
  const platform = await createAmdPlatform({ now: NOW, product: 'Turin', modulusBits: MODULUS_BITS })
  const report = platform.snpReport({
    reportData: REPORT_DATA,
    measurement: '31'.repeat(48),
    hostData: '32'.repeat(32),
    vmpl: 2,
    policy: 0xb_0000,
    idKeyDigest: '33'.repeat(48),
  })
  const claims = (await claimsOf(parse(report), platform)) as SnpClaims
  assert.equal(claims.measurement, '31'.repeat(48))
  assert.equal(claims.hostData, '32'.repeat(32))
  assert.equal(claims.signer, '33'.repeat(48))
  assert.equal(claims.debug, true)
  assert.equal(claims.snp.vmpl, 2)
  assert.equal(claims.snp.product, 'Turin')
  assert.deepEqual(claims.snp.reportedTcb, platform.settings.tcb)
})

test('a VLEK names the cloud provider and no chip', async () => {
  const platform = await createAmdPlatform({ now: NOW, signingKey: 'VLEK', modulusBits: MODULUS_BITS })
  const report = platform.snpReport({ reportData: REPORT_DATA, chipId: '00'.repeat(64) })
  const claims = (await claimsOf(parse(report), platform)) as SnpClaims
  assert.equal(claims.snp.signingKey, 'VLEK')
  assert.equal(claims.snp.cspId, platform.settings.cspId)
  assert.equal(claims.hardwareId, null)
})

test('the guest’s forms of Intel evidence verify', async () => {
  const platform = await createIntelPlatform({ now: NOW })
  const forms = {
    sgx: sgxKbsEvidence(platform.sgxQuote({ reportData: REPORT_DATA })),
    tdx: tdxKbsEvidence(platform.tdxQuote({ reportData: REPORT_DATA })),
  }
  for (const tee of ['sgx', 'tdx'] as const) {
    const claims = await claimsOf(parseKbsEvidence(tee, forms[tee]), platform)
    assert.equal(claims.kind, tee)
    assert.equal(claims.simulated, true)
  }
})

for (const product of ['Milan', 'Genoa', 'Turin'] as const) {
  for (const version of [2, 3, 5] as const) {
    test(`the guest’s form of a version ${version} report of ${product} verifies without endorsements of its leaf`, async () => {
      const platform = await createAmdPlatform({ now: NOW, product, modulusBits: MODULUS_BITS })
      const form = platform.kbsEvidence(platform.snpReport({ reportData: REPORT_DATA, version }))
      const endorsements = platform.endorsements.filter(({ name }) => name !== 'leaf.der')
      const evidence = recognise(Buffer.from(JSON.stringify(form)))
      const claims = await claimsOf(evidence, { anchors: platform.anchors, endorsements })
      assert.equal(claims.reportData, REPORT_DATA.toString('hex'))
    })
  }
}

test('the guest’s form without a TEE is sample evidence', async () => {
  const evidence = parseKbsEvidence('sample', sampleKbsEvidence(REPORT_DATA))
  const claims = await claimsOf(evidence, { anchors: [], endorsements: [] })
  assert.equal(claims.kind, 'sample')
  assert.equal(claims.simulated, true)
  assert.equal(Buffer.from(claims.reportData, 'hex').compare(REPORT_DATA), 0)
})

test('public trust in JSON is all that another process needs to verify', async () => {
  const [intel, amd] = await Promise.all([
    createIntelPlatform({ now: NOW }),
    createAmdPlatform({ now: NOW, modulusBits: MODULUS_BITS }),
  ])
  const trusts = [intel, amd].map(platform =>
    readPublicTrust(JSON.parse(JSON.stringify(platform.publicTrust()))),
  )
  const trust = {
    anchors: trusts.flatMap(({ anchors }) => anchors),
    endorsements: trusts.flatMap(({ endorsements }) => endorsements),
  } as Trust
  for (const evidence of [
    intel.tdxQuote({ reportData: REPORT_DATA }),
    intel.sgxQuote({ reportData: REPORT_DATA }),
    amd.snpReport({ reportData: REPORT_DATA }),
  ]) {
    assert.equal((await claimsOf(parse(evidence), trust)).simulated, true)
  }
})

test('after a year, restored platforms verify with endorsements issued anew, and not with the old ones', async () => {
  const later = new Date(NOW.getTime() + 366 * 86_400_000)
  const intel = await createIntelPlatform({ now: NOW })
  const amd = await createAmdPlatform({ now: NOW, modulusBits: MODULUS_BITS })
  const restored = {
    intel: await intelPlatformFromJSON(JSON.parse(JSON.stringify(intel)), { now: later }),
    amd: await amdPlatformFromJSON(JSON.parse(JSON.stringify(amd)), { now: later }),
  }
  const quote = intel.tdxQuote({ reportData: REPORT_DATA })
  const report = amd.snpReport({ reportData: REPORT_DATA })
  await assert.rejects(claimsOf(parse(quote), intel, later), /expired/)
  const { snp } = (await claimsOf(parse(report), amd, later)) as SnpClaims
  assert.equal(snp.revocation, 'outside-window')
  for (const [evidence, old, renewed] of [
    [quote, intel, restored.intel],
    [report, amd, restored.amd],
  ] as const) {
    assert.equal((await claimsOf(parse(evidence), renewed, later)).simulated, true)
    const reissued = { anchors: old.anchors, endorsements: old.endorsementsAt(later) } as Trust
    assert.equal((await claimsOf(parse(evidence), reissued, later)).simulated, true)
  }
})
