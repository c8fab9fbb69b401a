// Every expectation of a policy, alone: claims that meet all of a policy that leaves nothing open, and the same with
// one claim changed, which violate that one expectation and no other.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Claims } from '@casemate/evidence'
import { appraise, type Facet, parsePolicy } from '../src/index.ts'
import { hex, NOW, SGX, SNP, SNP_TURIN, TDX, withClaim } from './claims.ts'
import { BINDING, NO_REFERENCES, PINNED, PINNED_DOCUMENT } from './policies.ts'

interface Case {
  readonly claims: Claims
  readonly claim: string
  readonly to: unknown
  readonly path: string
  readonly facet: Facet
  readonly value: number
}

const other = (bytes: number) => hex('ee', bytes)
const code = (claims: Claims, claim: string, to: unknown, path = claim): Case => ({
  claims,
  claim,
  to,
  path,
  facet: 'executables',
  value: 33,
})
const configuration = (claims: Claims, claim: string, to: unknown, path = claim): Case => ({
  claims,
  claim,
  to,
  path,
  facet: 'configuration',
  value: 96,
})
const hardware = (claims: Claims, claim: string, to: unknown, path = claim): Case => ({
  claims,
  claim,
  to,
  path,
  facet: 'hardware',
  value: 96,
})

const CASES: readonly Case[] = [
  { ...hardware(TDX, 'simulated', true), value: 97 },
  configuration(TDX, 'debug', true),
  configuration(SGX, 'debug', true),
  configuration(SNP, 'debug', true),
  { ...code(TDX, 'hardwareId', other(16), 'hardwareIds'), facet: 'instance-identity', value: 97 },
  { ...code(SNP, 'hardwareId', null, 'hardwareIds'), facet: 'instance-identity', value: 97 },
  { ...code(TDX, 'reportData', other(64)), facet: 'instance-identity', value: 99 },
  hardware(TDX, 'tcbStatus', 'OutOfDate', 'tcb.statuses'),
  hardware(SGX, 'tcbStatus', 'ConfigurationNeeded', 'tcb.statuses'),
  hardware(SGX, 'tcbStatus', null, 'tcb.statuses'),
  hardware(TDX, 'advisoryIds', ['INTEL-SA-00615', 'INTEL-SA-00001'], 'tcb.advisories'),
  hardware(SGX, 'advisoryIds', ['INTEL-SA-00001'], 'tcb.advisories'),
  hardware(TDX, 'tcbEvaluationDataNumber', 19, 'tcb.minEvaluationDataNumber'),
  hardware(SGX, 'tcbEvaluationDataNumber', null, 'tcb.minEvaluationDataNumber'),
  hardware(TDX, 'tcbDate', '2025-08-12T23:59:59Z', 'tcb.minDate'),
  hardware(TDX, 'tcbDate', null, 'tcb.minDate'),
  ...(['tcbInfo', 'qeIdentity', 'pckCrl'] as const).flatMap(kind => [
    hardware(TDX, `collateral.${kind}`, '2025-08-30T11:59:59Z', `tcb.maxCollateralAge.${kind}`),
    hardware(SGX, `collateral.${kind}`, '2025-09-01T12:00:01Z', `tcb.maxCollateralAge.${kind}`),
    hardware(SGX, `collateral.${kind}`, null, `tcb.maxCollateralAge.${kind}`),
  ]),
  hardware(TDX, 'collateral.rootCrl', '2024-08-31T11:59:59Z', 'tcb.maxCollateralAge.rootCrl'),
  hardware(TDX, 'collateral.rootCrl', null, 'tcb.maxCollateralAge.rootCrl'),
  hardware(SNP, 'collateral.arkCrl', '2024-08-31T11:59:59Z', 'tcb.maxCollateralAge.arkCrl'),
  hardware(SNP, 'collateral.arkCrl', null, 'tcb.maxCollateralAge.arkCrl'),
  hardware(TDX, 'platform.sgxType', 'standard'),
  { ...code(SGX, 'platform.platformInstanceId', other(16)), facet: 'instance-identity', value: 97 },
  { ...code(TDX, 'platform.platformInstanceId', null), facet: 'instance-identity', value: 97 },
  ...([TDX, SGX] as const).flatMap(claims => [
    configuration(claims, 'platform.dynamicPlatform', false),
    configuration(claims, 'platform.dynamicPlatform', null),
    configuration(claims, 'platform.cachedKeys', true),
    configuration(claims, 'platform.cachedKeys', null),
    configuration(claims, 'platform.smtEnabled', false),
    configuration(claims, 'platform.smtEnabled', null),
  ]),
  configuration(TDX, 'tdx.migration.vmId', 2),
  configuration(TDX, 'tdx.migration.tdId', other(32)),
  configuration(TDX, 'tdx.migration.devInfo', other(48)),
  configuration(TDX, 'tdx.migration.initServiceTdHash', other(48)),
  configuration(TDX, 'tdx.migration.initServiceTdAttributes', other(8)),
  configuration(TDX, 'tdx.migration.initCpuSvn', other(16)),
  configuration(TDX, 'tdx.migration.initTeeTcbSvn', other(16)),
  configuration(TDX, 'tdx.migration.initTeeFmspc', other(12)),
  configuration(TDX, 'tdx.migration.currentServiceTdHash', other(48)),
  configuration(TDX, 'tdx.migration.currentServiceTdAttributes', other(8)),
  code(SGX, 'sgx.mrEnclave', other(32)),
  code(SGX, 'sgx.mrSigner', other(32)),
  code(SGX, 'sgx.isvProdId', 8),
  code(SGX, 'sgx.isvSvn', 2, 'sgx.minIsvSvn'),
  code(SGX, 'sgx.isvExtProdId', other(16)),
  code(SGX, 'sgx.isvFamilyId', other(16)),
  configuration(SGX, 'sgx.attributesFlags', '1500000000000000'),
  configuration(SGX, 'sgx.attributesXfrm', 'ff00000000000000'),
  configuration(SGX, 'sgx.miscSelect', '00000000'),
  configuration(SGX, 'sgx.configId', other(64)),
  configuration(SGX, 'sgx.configSvn', 0, 'sgx.minConfigSvn'),
  code(TDX, 'tdx.mrTd', other(48)),
  code(TDX, 'tdx.rtmr0', other(48)),
  code(TDX, 'tdx.rtmr1', other(48)),
  code(TDX, 'tdx.rtmr2', other(48)),
  code(TDX, 'tdx.rtmr3', other(48)),
  hardware(TDX, 'tdx.mrSeam', other(48)),
  configuration(TDX, 'tdx.mrConfigId', other(48)),
  code(TDX, 'tdx.mrOwner', other(48)),
  configuration(TDX, 'tdx.mrOwnerConfig', other(48)),
  code(TDX, 'tdx.mrServiceTd', null),
  configuration(TDX, 'tdx.tdAttributes', '0000001000000080'),
  configuration(TDX, 'tdx.xfam', 'e700060000000000'),
  configuration(TDX, 'tdx.attributes.septVeDisable', false),
  configuration(TDX, 'tdx.attributes.protectionKeys', true),
  configuration(TDX, 'tdx.attributes.keyLocker', true),
  configuration(TDX, 'tdx.attributes.perfmon', true),
  configuration(TDX, 'tdx.attributes.migratable', true),
  configuration(TDX, 'tdx.attributes.icssd', true),
  configuration(TDX, 'tdx.attributes.servtdExt', true),
  configuration(TDX, 'tdx.attributes.lass', true),
  configuration(TDX, 'tdx.attributes.tpa', true),
  configuration(TDX, 'tdx.attributes.unknownBits', '0000000100000000'),
  code(SNP, 'snp.measurement', other(48)),
  code(SNP, 'snp.idKeyDigest', other(48)),
  code(SNP, 'snp.authorKeyDigest', other(48)),
  code(SNP, 'snp.familyId', other(16)),
  code(SNP, 'snp.imageId', other(16)),
  code(SNP, 'snp.guestSvn', 1, 'snp.minGuestSvn'),
  configuration(SNP, 'snp.vmpl', 1),
  hardware(SNP, 'snp.signingKey', 'VLEK', 'snp.signingKeys'),
  hardware(SNP, 'snp.revocation', 'not-supplied'),
  hardware(SNP, 'snp.reportedTcb.bootloader', 3, 'snp.minimumTcb.Milan.bootloader'),
  hardware(SNP, 'snp.reportedTcb.tee', 0, 'snp.minimumTcb.Milan.tee'),
  hardware(SNP, 'snp.reportedTcb.snp', 23, 'snp.minimumTcb.Milan.snp'),
  hardware(SNP, 'snp.reportedTcb.microcode', 218, 'snp.minimumTcb.Milan.microcode'),
  hardware(SNP, 'snp.launchTcb.bootloader', 3, 'snp.minimumTcb.Milan.bootloader'),
  hardware(SNP, 'snp.launchTcb.tee', 0, 'snp.minimumTcb.Milan.tee'),
  hardware(SNP, 'snp.launchTcb.snp', 23, 'snp.minimumTcb.Milan.snp'),
  hardware(SNP, 'snp.launchTcb.microcode', 218, 'snp.minimumTcb.Milan.microcode'),
  hardware(SNP_TURIN, 'snp.reportedTcb.fmc', 1, 'snp.minimumTcb.Turin.fmc'),
  hardware(SNP_TURIN, 'snp.launchTcb.fmc', null, 'snp.minimumTcb.Turin.fmc'),
  configuration(SNP, 'snp.policy.smtAllowed', false, 'snp.guestPolicy.smtAllowed'),
  configuration(SNP, 'snp.policy.migrateMaAllowed', true, 'snp.guestPolicy.migrateMaAllowed'),
  configuration(SNP, 'snp.policy.singleSocketRequired', true, 'snp.guestPolicy.singleSocketRequired'),
  configuration(SNP, 'snp.policy.cxlAllowed', true, 'snp.guestPolicy.cxlAllowed'),
  configuration(SNP, 'snp.policy.memAes256XtsRequired', true, 'snp.guestPolicy.memAes256XtsRequired'),
  configuration(SNP, 'snp.policy.raplDisabled', true, 'snp.guestPolicy.raplDisabled'),
  configuration(SNP, 'snp.policy.ciphertextHidingRequired', true, 'snp.guestPolicy.ciphertextHidingRequired'),
  configuration(SNP, 'snp.policy.pageSwapDisabled', true, 'snp.guestPolicy.pageSwapDisabled'),
  configuration(SNP, 'snp.platformInfo.smtEnabled', false),
  configuration(SNP, 'snp.platformInfo.tsmeEnabled', true),
  configuration(SNP, 'snp.platformInfo.eccEnabled', false),
  configuration(SNP, 'snp.platformInfo.raplDisabled', true),
  configuration(SNP, 'snp.platformInfo.ciphertextHidingEnabled', true),
  configuration(SNP, 'snp.platformInfo.aliasCheckComplete', false),
  configuration(SNP, 'snp.platformInfo.tioEnabled', true),
]

const pinned = (claims: Claims) =>
  appraise({ claims, references: NO_REFERENCES, policy: PINNED, binding: BINDING, now: NOW })

for (const claims of [SGX, TDX, SNP, SNP_TURIN]) {
  const name = claims.kind === 'snp' ? `snp ${claims.snp.product}` : claims.kind
  test(`${name}: claims that meet every expectation are accepted and affirmed`, () => {
    const result = pinned(claims)
    assert.deepEqual(result.violations, [])
    assert.equal(result.accepted, true)
    assert.equal(result.status, 'affirming')
    assert.deepEqual(result.unchecked, ['workloads'])
    assert.ok(result.checks.every(({ outcome }) => outcome === 'met'))
    assert.deepEqual(result.trustVector, {
      'instance-identity': 2,
      configuration: 2,
      executables: 3,
      'file-system': 0,
      hardware: 2,
      'runtime-opaque': 2,
      'storage-opaque': 0,
      'sourced-data': 0,
    })
  })
}

for (const { claims, claim, to, path, facet, value } of CASES) {
  test(`${claims.kind}: ${claim} = ${JSON.stringify(to).slice(0, 40)} violates ${path} alone`, () => {
    const result = pinned(withClaim(claims, claim, to))
    assert.deepEqual(
      result.violations.map(violation => violation.path),
      [path],
    )
    assert.equal(result.accepted, false)
    assert.equal(result.trustVector[facet], value)
    const [violation] = result.violations
    assert.ok(violation && violation.expected !== '' && violation.got !== '' && violation.hint !== '')
    assert.deepEqual(
      result.checks.filter(({ outcome }) => outcome === 'violated').map(check => check.path),
      [path],
    )
  })
}

test('a kind that is not accepted violates kinds alone', () => {
  const { kinds: _, ...rest } = PINNED_DOCUMENT
  for (const claims of [SGX, TDX, SNP]) {
    const kinds = ['sgx', 'tdx', 'snp'].filter(kind => kind !== claims.kind)
    const result = appraise({
      claims,
      references: NO_REFERENCES,
      policy: parsePolicy({ ...rest, kinds }),
      binding: BINDING,
      now: NOW,
    })
    assert.deepEqual(
      result.violations.map(({ path }) => path),
      ['kinds'],
    )
    assert.equal(result.trustVector.hardware, 97)
  }
})

test('a body without migration fields meets nothing that the policy names of them', () => {
  const { violations } = pinned(withClaim(TDX, 'tdx.migration', null))
  assert.deepEqual(
    violations.map(({ path, got }) => [path, got]),
    Object.keys(PINNED.tdx.migration).map(name => [`tdx.migration.${name}`, 'none']),
  )
})

test('a processor family that the policy does not name violates products alone', () => {
  const policy = parsePolicy({ ...PINNED_DOCUMENT, snp: { ...PINNED_DOCUMENT.snp, products: ['Turin'] } })
  const result = appraise({ claims: SNP, references: NO_REFERENCES, policy, binding: BINDING, now: NOW })
  assert.deepEqual(
    result.violations.map(({ path }) => path),
    ['snp.products'],
  )
})

test('the cases above cover every expectation that a policy can state', () => {
  const covered = new Set([...CASES.map(({ path }) => path), 'kinds', 'snp.products'])
  const stated = [SGX, TDX, SNP, SNP_TURIN].flatMap(claims => pinned(claims).checks.map(({ path }) => path))
  // Turin's other components are Milan's, and initData has its tests with the bindings.
  const missing = stated.filter(
    path => !covered.has(path.replace('.Turin.', '.Milan.')) && !covered.has(path) && path !== 'initData',
  )
  assert.deepEqual(missing, [])
})
