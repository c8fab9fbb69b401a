// What a result says as a whole: presets, tolerated weaknesses, workloads, simulated evidence.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Claims, TCB_STATUSES } from '@casemate/evidence'
import {
  type AppraisalPolicy,
  appraise,
  comparesCode,
  PRESETS,
  parsePolicy,
  parseReferenceValues,
  type ReferenceValues,
  workloadOf,
} from '../src/index.ts'
import { hex, NOW, SAMPLE, SGX, SNP, TDX, withClaim } from './claims.ts'
import { BINDING, NO_REFERENCES, open } from './policies.ts'

const KNOWN = parseReferenceValues({
  workloads: [SGX, TDX, SNP, SAMPLE].map(claims => workloadOf(claims, `my-${claims.kind}`)),
})

function judge(claims: Claims, policy: AppraisalPolicy, references: ReferenceValues = KNOWN) {
  // The sample attester has no field for init-data.
  const binding = claims.kind === 'sample' ? { ...BINDING, initDataDigest: 'none' } : BINDING
  return appraise({ claims, references, policy, binding, now: NOW })
}

const paths = (result: { violations: readonly { path: string }[] }) =>
  result.violations.map(({ path }) => path)
const strictly = (changes: object) => parsePolicy({ extends: 'strict', name: 'mine', version: 1, ...changes })

test('strict accepts an up-to-date, known, real workload', () => {
  for (const claims of [SGX, TDX]) {
    const result = judge(claims, PRESETS.strict)
    assert.equal(result.accepted, true)
    assert.equal(result.status, 'affirming')
    assert.equal(result.workload, `my-${claims.kind}`)
    assert.equal(result.closestReference, null)
    assert.deepEqual([result.policyId, result.policyVersion, result.simulated], ['strict', 1, false])
  }
})

test('strict refuses what the vendor says needs anything at all', () => {
  for (const status of TCB_STATUSES.filter(status => status !== 'UpToDate')) {
    assert.deepEqual(paths(judge(withClaim(TDX, 'tcbStatus', status), PRESETS.strict)), ['tcb.statuses'])
  }
  assert.deepEqual(paths(judge(withClaim(TDX, 'advisoryIds', ['INTEL-SA-00615']), PRESETS.strict)), [
    'tcb.advisories',
  ])
  const [violation] = judge(withClaim(TDX, 'advisoryIds', ['INTEL-SA-00615']), PRESETS.strict).violations
  assert.deepEqual([violation?.expected, violation?.got], ['no advisory', 'INTEL-SA-00615'])
})

test('a TD to be relaunched is accepted where its status is listed, as a warning, and nowhere else', () => {
  for (const [status, configuration] of [
    ['TDRelaunchAdvised', 2],
    ['TDRelaunchAdvisedConfigurationNeeded', 32],
  ] as const) {
    const claims = withClaim(TDX, 'tcbStatus', status)
    for (const preset of [PRESETS.strict, PRESETS.standard]) {
      const refused = judge(claims, preset)
      assert.deepEqual(paths(refused), ['tcb.statuses'])
      assert.equal(refused.trustVector.hardware, 96)
    }
    const listed = judge(claims, strictly({ tcb: { statuses: ['UpToDate', status] } }))
    assert.equal(listed.accepted, true)
    assert.equal(listed.status, 'warning')
    assert.equal(listed.trustVector.hardware, 32)
    assert.equal(listed.trustVector.configuration, configuration)
    const others = TCB_STATUSES.filter(other => other !== status)
    assert.deepEqual(paths(judge(claims, strictly({ tcb: { statuses: others } }))), ['tcb.statuses'])
  }
})

test('both presets refuse a TD that may migrate, and strict one with security attributes that have no name', () => {
  const migratable = withClaim(TDX, 'tdx.attributes.migratable', true)
  for (const preset of [PRESETS.strict, PRESETS.standard]) {
    const result = judge(migratable, preset)
    assert.deepEqual(paths(result), ['tdx.attributes.migratable'])
    assert.equal(result.trustVector.configuration, 96)
  }
  for (const bits of ['0200000000000000', '0001000000000000', '0000000400000000']) {
    const claims = withClaim(TDX, 'tdx.attributes.unknownBits', bits)
    assert.deepEqual(paths(judge(claims, PRESETS.strict)), ['tdx.attributes.unknownBits'])
    assert.deepEqual(paths(judge(claims, PRESETS.standard)), [])
  }
  const other = withClaim(TDX, 'tdx.attributes.unknownBits', '0000000001000000')
  assert.deepEqual(paths(judge(other, PRESETS.strict)), [])
})

test('strict refuses debugging, simulation and the sample attester', () => {
  assert.deepEqual(paths(judge(withClaim(TDX, 'debug', true), PRESETS.strict)), ['debug'])
  assert.deepEqual(paths(judge(withClaim(TDX, 'simulated', true), PRESETS.strict)), ['simulated'])
  assert.deepEqual(paths(judge(SAMPLE, PRESETS.strict)), ['kinds', 'simulated'])
})

test('strict refuses SNP until a minimum TCB is stated, and says what to write', () => {
  const result = judge(SNP, PRESETS.strict)
  assert.deepEqual(paths(result), ['snp.minimumTcb.Milan'])
  assert.equal(result.trustVector.hardware, 96)
  assert.match(
    result.violations[0]?.hint ?? '',
    /Milan: \{ bootloader: 4, tee: 1, snp: 24, microcode: 219 \}/,
  )
  const stated = {
    snp: { minimumTcb: { Milan: { bootloader: 4, tee: 1, snp: 24, microcode: 'any' } } },
  }
  const met = judge(SNP, strictly(stated))
  assert.equal(met.accepted, true)
  assert.equal(met.trustVector.hardware, 2)
  assert.ok(met.unchecked.includes('snp.minimumTcb.Milan.microcode'))
  const hintOf = (path: string) => judge(withClaim(SNP, path, 0), strictly(stated)).violations[0]?.hint
  assert.match(hintOf('snp.launchTcb.snp') ?? '', /start it again/)
  assert.match(hintOf('snp.reportedTcb.snp') ?? '', /firmware and microcode/)
  const anyFirmware = judge(SNP, strictly({ snp: { minimumTcb: { Milan: 'any' } } }))
  assert.equal(anyFirmware.accepted, true)
  assert.equal(anyFirmware.trustVector.hardware, 0)
  assert.ok(anyFirmware.unchecked.includes('snp.minimumTcb.Milan'))
})

test('what a result leaves unchecked is its own list: whoever writes to it changes no other', () => {
  const policy = strictly({ simulated: 'any' })
  const [first, second] = [judge(TDX, policy), judge(TDX, policy)]
  const before = [...second.unchecked]
  ;(first.unchecked as string[]).length = 0
  assert.ok(before.includes('simulated'))
  assert.deepEqual([second.unchecked, judge(TDX, policy).unchecked], [before, before])
})

test('a machine that is not listed is told to be listed, one that is not named is not', () => {
  const policy = parsePolicy({
    extends: 'standard',
    name: 'fleet',
    version: 1,
    hardwareIds: ['0f'.repeat(64)],
  })
  const hintFor = (hardwareId: unknown) =>
    judge(withClaim(SNP, 'hardwareId', hardwareId), policy).violations.find(
      ({ path }) => path === 'hardwareIds',
    )?.hint
  assert.match(hintFor('0e'.repeat(64)) ?? '', /or list this one$/)
  assert.match(hintFor(null) ?? '', /names no machine: have the host show the chip id/)
})

test('strict demands that the revocation of SNP keys was looked at', () => {
  const policy = strictly({ snp: { minimumTcb: { Milan: 'any' } } })
  assert.deepEqual(paths(judge(withClaim(SNP, 'snp.revocation', 'not-supplied'), policy)), ['snp.revocation'])
})

test('a processor family that nobody knows is refused', () => {
  const result = judge(withClaim(SNP, 'snp.product', 'Venice'), PRESETS.standard)
  assert.deepEqual(paths(result), ['snp.minimumTcb'])
  assert.equal(result.trustVector.hardware, 97)
})

test('standard accepts hardening and configuration statuses with listed advisories only, as a warning', () => {
  const hardening = withClaim(TDX, 'tcbStatus', 'SWHardeningNeeded')
  const listed = judge(withClaim(hardening, 'advisoryIds', ['INTEL-SA-00615']), PRESETS.standard)
  assert.equal(listed.accepted, true)
  assert.equal(listed.status, 'warning')
  assert.equal(listed.trustVector.hardware, 32)
  const unlisted = judge(
    withClaim(hardening, 'advisoryIds', ['INTEL-SA-00615', 'INTEL-SA-00828']),
    PRESETS.standard,
  )
  assert.deepEqual(paths(unlisted), ['tcb.advisories'])
  assert.match(unlisted.violations[0]?.hint ?? '', /read INTEL-SA-00828, then/)
  assert.equal(unlisted.violations[0]?.expected, 'only INTEL-SA-00334, INTEL-SA-00615')
  const configuration = judge(withClaim(TDX, 'tcbStatus', 'ConfigurationNeeded'), PRESETS.standard)
  assert.equal(configuration.accepted, true)
  assert.equal(configuration.trustVector.configuration, 32)
  assert.equal(judge(withClaim(TDX, 'tcbStatus', 'OutOfDate'), PRESETS.standard).accepted, false)
})

test('standard accepts any SNP firmware, and affirms nothing about it', () => {
  const result = judge(SNP, PRESETS.standard)
  assert.equal(result.accepted, true)
  assert.equal(result.trustVector.hardware, 0)
})

test('a measurement that is not known is refused with the workload that comes closest', () => {
  const changed = withClaim(withClaim(TDX, 'tdx.rtmr2', hex('ab', 48)), 'measurement', hex('01', 48))
  const other = { ...workloadOf(TDX, 'other'), mrTd: [hex('cd', 48)], rtmr1: [hex('cd', 48)] }
  const references = parseReferenceValues({ workloads: [other, workloadOf(TDX, 'mine')] })
  const result = judge(changed, PRESETS.strict, references)
  assert.deepEqual(paths(result), ['workloads'])
  assert.equal(result.trustVector.executables, 33)
  assert.equal(result.status, 'warning')
  assert.equal(result.workload, null)
  assert.deepEqual(result.closestReference, {
    workload: 'mine',
    kind: 'tdx',
    differs: [{ field: 'rtmr2', expected: TDX.tdx.rtmr2, got: hex('ab', 48) }],
  })
  assert.match(result.violations[0]?.hint ?? '', /2 known, mine is closest and differs in rtmr2/)
})

test('of workloads that are equally close, the first is named', () => {
  const workloads = ['first', 'second'].map(name => ({ ...workloadOf(TDX, name), rtmr3: [hex('5e', 48)] }))
  const result = judge(TDX, PRESETS.strict, parseReferenceValues({ workloads }))
  assert.equal(result.closestReference?.workload, 'first')
})

test('without reference values nothing is accepted', () => {
  const result = judge(TDX, PRESETS.strict, NO_REFERENCES)
  assert.deepEqual(paths(result), ['workloads'])
  assert.equal(result.closestReference, null)
  assert.match(result.violations[0]?.hint ?? '', /add one for this workload/)
})

test('reference values of another kind do not match', () => {
  const references = parseReferenceValues({ workloads: [workloadOf(SGX, 'enclave')] })
  assert.deepEqual(paths(judge(TDX, PRESETS.strict, references)), ['workloads'])
})

test('a policy that names workloads accepts those and no other', () => {
  const both = parseReferenceValues({
    workloads: [workloadOf(TDX, 'wanted'), { ...workloadOf(TDX, 'other'), rtmr3: 'any' }],
  })
  assert.equal(judge(TDX, strictly({ workloads: 'wanted' }), both).workload, 'wanted')
  const result = judge(withClaim(TDX, 'tdx.rtmr3', hex('77', 48)), strictly({ workloads: ['wanted'] }), both)
  assert.deepEqual(paths(result), ['workloads'])
  assert.equal(result.closestReference?.workload, 'wanted')
  const none = judge(TDX, strictly({ workloads: ['absent'] }), both)
  assert.equal(none.closestReference, null)
  assert.match(none.violations[0]?.expected ?? '', /named absent/)
})

test('a security version below that of the reference is refused', () => {
  const result = judge(withClaim(SGX, 'sgx.isvSvn', 2), PRESETS.strict)
  assert.deepEqual(result.closestReference?.differs, [
    { field: 'minIsvSvn', expected: 'at least 3', got: '2' },
  ])
  const newer = judge(withClaim(SGX, 'sgx.isvSvn', 4), PRESETS.strict)
  assert.equal(newer.workload, 'my-sgx')
})

test('a signer is enough where the reference leaves the measurement open', () => {
  const references = parseReferenceValues({
    workloads: [
      { name: 'ours', kind: 'sgx', mrEnclave: 'any', mrSigner: SGX.sgx.mrSigner, isvProdId: 7, minIsvSvn: 1 },
    ],
  })
  assert.equal(
    judge(withClaim(SGX, 'sgx.mrEnclave', hex('99', 32)), PRESETS.strict, references).accepted,
    true,
  )
  assert.equal(
    judge(withClaim(SGX, 'sgx.mrSigner', hex('99', 32)), PRESETS.strict, references).accepted,
    false,
  )
  assert.equal(judge(withClaim(SGX, 'sgx.isvProdId', 8), PRESETS.strict, references).accepted, false)
})

test('all violations are reported at once', () => {
  const bad = withClaim(
    withClaim(withClaim(TDX, 'debug', true), 'tcbStatus', 'Revoked'),
    'tdx.mrTd',
    hex('9', 96),
  )
  assert.deepEqual(paths(judge(bad, PRESETS.strict)), ['debug', 'tcb.statuses', 'workloads'])
})

test('simulated evidence that a policy accepts is a warning, never affirmed as hardware', () => {
  const result = judge(withClaim(TDX, 'simulated', true), strictly({ simulated: 'any' }))
  assert.equal(result.accepted, true)
  assert.equal(result.simulated, true)
  assert.equal(result.status, 'warning')
  assert.equal(result.trustVector.hardware, -33)
  assert.equal(result.trustVector['runtime-opaque'], 0)
})

test('the sample attester is accepted by name only', () => {
  const named = strictly({ kinds: ['tdx', 'sample'], simulated: 'any' })
  const result = judge(SAMPLE, named)
  assert.deepEqual(paths(result), [])
  assert.equal(result.status, 'warning')
  assert.deepEqual(paths(judge(SAMPLE, strictly({ simulated: 'any' }))), ['kinds'])
})

test('debugging that a policy accepts is a warning', () => {
  const result = judge(withClaim(TDX, 'debug', true), open())
  assert.equal(result.accepted, true)
  assert.equal(result.trustVector.configuration, 32)
  assert.equal(result.trustVector['runtime-opaque'], 32)
})

test('code that nobody names is a warning, also where the policy accepts any', () => {
  const result = judge(TDX, open())
  assert.equal(result.accepted, true)
  assert.equal(result.trustVector.executables, 33)
  const { mrTd, rtmr1, rtmr2 } = TDX.tdx
  assert.equal(judge(TDX, open({ tdx: { mrTd, rtmr1, rtmr2 } })).trustVector.executables, 3)
})

test('only what other code cannot have names code: no id, version, owner or register', () => {
  const { sgx, tdx, snp } = { sgx: SGX.sgx, tdx: TDX.tdx, snp: SNP.snp }
  const naming = [
    [SGX, { sgx: { mrEnclave: sgx.mrEnclave } }],
    [SGX, { sgx: { mrSigner: sgx.mrSigner } }],
    [TDX, { tdx: { mrTd: tdx.mrTd, rtmr1: tdx.rtmr1, rtmr2: tdx.rtmr2 } }],
    [SNP, { snp: { measurement: snp.measurement } }],
    [SNP, { snp: { idKeyDigest: snp.idKeyDigest } }],
    [SNP, { snp: { authorKeyDigest: snp.authorKeyDigest } }],
  ] as const
  const loose = [
    [SGX, { sgx: { isvProdId: sgx.isvProdId, minIsvSvn: 0, isvExtProdId: sgx.isvExtProdId } }],
    [SGX, { sgx: { isvFamilyId: sgx.isvFamilyId } }],
    [TDX, { tdx: { mrTd: tdx.mrTd, rtmr0: tdx.rtmr0, rtmr1: tdx.rtmr1, rtmr3: tdx.rtmr3 } }],
    [TDX, { tdx: { mrTd: tdx.mrTd, rtmr2: tdx.rtmr2 } }],
    [TDX, { tdx: { rtmr0: tdx.rtmr0, rtmr1: tdx.rtmr1, rtmr2: tdx.rtmr2, rtmr3: tdx.rtmr3 } }],
    [TDX, { tdx: { mrOwner: tdx.mrOwner } }],
    [SNP, { snp: { idKeyDigest: [hex('00', 48), snp.idKeyDigest] } }],
    [SNP, { snp: { familyId: snp.familyId, imageId: snp.imageId, minGuestSvn: 0 } }],
  ] as const
  for (const [isNamed, cases] of [
    [true, naming],
    [false, loose],
  ] as const) {
    for (const [claims, changes] of cases) {
      const policy = open(changes)
      const what = JSON.stringify(changes)
      assert.equal(comparesCode(policy, claims.kind), isNamed, what)
      assert.equal(judge(claims, policy).trustVector.executables, isNamed ? 3 : 33, what)
    }
  }
  assert.equal(comparesCode(PRESETS.strict, 'tdx'), true)
})

test('an untold configuration is affirmed as safe, a stated one as approved', () => {
  const untold = { attributes: { migratable: 'any' } }
  assert.equal(judge(SGX, open()).trustVector.configuration, 3)
  assert.equal(judge(TDX, open({ tdx: untold })).trustVector.configuration, 3)
  assert.equal(judge(TDX, open()).trustVector.configuration, 2)
  const xfam = { value: hex('00', 8), mask: hex('00', 8) }
  assert.equal(judge(TDX, open({ tdx: { ...untold, xfam } })).trustVector.configuration, 2)
})

test('a policy that was not parsed is a mistake of the caller', () => {
  const policy = structuredClone(PRESETS.strict)
  assert.throws(() => judge(TDX, policy), { name: 'TypeError', message: /parsePolicy/ })
  assert.throws(() => judge(TDX, PRESETS.strict, { workloads: [] }), {
    name: 'TypeError',
    message: /parseReferenceValues/,
  })
})

test('what a claim lacks meets no expectation', () => {
  const { tdx: _, ...without } = TDX
  const result = judge(without as unknown as Claims, strictly({ tdx: { attributes: { perfmon: false } } }))
  assert.deepEqual(paths(result), [
    'tdx.attributes.migratable',
    'tdx.attributes.servtdExt',
    'tdx.attributes.perfmon',
    'tdx.attributes.unknownBits',
    'workloads',
  ])
  const { debug: _debug, ...noDebug } = TDX
  assert.deepEqual(paths(judge(noDebug as unknown as Claims, PRESETS.strict)), ['debug'])
  const { advisoryIds: _ids, ...noAdvisories } = TDX
  assert.deepEqual(paths(judge(noAdvisories as unknown as Claims, PRESETS.strict)), ['tcb.advisories'])
})

test('what Intel says of a platform is asked of its own kinds alone', () => {
  const asked = (claims: Claims) =>
    judge(claims, PRESETS.strict)
      .checks.map(({ path }) => path)
      .filter(path => path.startsWith('tcb.'))
  for (const claims of [SGX, TDX]) assert.deepEqual(asked(claims), ['tcb.statuses', 'tcb.advisories'])
  for (const claims of [SNP, SAMPLE]) assert.deepEqual(asked(claims), [])
})

test('claims of a kind that nobody knows are refused, and compared with no block of the policy', () => {
  for (const kind of ['nitro', 'constructor', '__proto__']) {
    const result = judge(withClaim(SGX, 'kind', kind), PRESETS.strict)
    assert.deepEqual(paths(result), ['kinds', 'workloads'], kind)
    const blocks = result.checks.filter(({ path }) => /^(tcb|platform|sgx)\./.test(path))
    assert.deepEqual(blocks, [], kind)
  }
})
