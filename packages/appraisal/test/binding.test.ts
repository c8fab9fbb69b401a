// Evidence and its session: report data and init-data, as Confidential Containers' guests fill them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Claims } from '@casemate/evidence'
import { appraise, type Binding } from '../src/index.ts'
import { hex, INIT_DATA_DIGEST, NOW, REPORT_DATA, SAMPLE, SGX, SNP, TDX, withClaim } from './claims.ts'
import { BINDING, NO_REFERENCES, open } from './policies.ts'

function bind(policyChanges: object, binding: Partial<Binding>, claims: Claims = TDX) {
  const policy = open(policyChanges)
  return appraise({
    claims,
    references: NO_REFERENCES,
    policy,
    binding: { ...BINDING, ...binding },
    now: NOW,
  })
}

const paths = (result: { violations: readonly { path: string }[] }) =>
  result.violations.map(({ path }) => path)
const BOUND = { reportData: 'bound' }

test('report data that the session demands is accepted, padded or not, in either case', () => {
  for (const reportData of [REPORT_DATA, REPORT_DATA.slice(0, 96), REPORT_DATA.toUpperCase()]) {
    const result = bind(BOUND, { reportData })
    assert.deepEqual(paths(result), [])
    assert.equal(result.bound, true)
  }
})

test('report data of another session is refused', () => {
  const result = bind(BOUND, { reportData: hex('a2', 48) })
  assert.deepEqual(paths(result), ['reportData'])
  assert.equal(result.bound, false)
  assert.equal(result.trustVector['instance-identity'], 99)
})

test('report data that only begins as the session demands is refused', () => {
  const claims = withClaim(TDX, 'reportData', `${REPORT_DATA.slice(0, 126)}01`)
  assert.deepEqual(paths(bind(BOUND, { reportData: REPORT_DATA.slice(0, 96) }, claims)), ['reportData'])
})

test('a demand that is too short, too long or no hex binds nothing', () => {
  for (const reportData of ['', 'none', 'a1', hex('00', 31), `${REPORT_DATA}00`, 'zz'.repeat(48)]) {
    const claims = withClaim(TDX, 'reportData', hex('00', 64))
    assert.deepEqual(paths(bind(BOUND, { reportData }, claims)), ['reportData'])
  }
})

test('outside of a session, report data is shown as not checked, and the result is not bound', () => {
  const result = bind(BOUND, { reportData: 'any' })
  assert.equal(result.accepted, true)
  assert.equal(result.bound, false)
  assert.equal(result.checks.find(({ path }) => path === 'reportData')?.outcome, 'not-checked')
})

test('a policy that does not ask for report data is met without a session', () => {
  const result = bind({ reportData: 'any' }, { reportData: 'any', initDataDigest: 'any' })
  assert.equal(result.bound, true)
  assert.ok(result.unchecked.includes('reportData'))
})

test('init-data is found in the field of each kind, cut or padded to its size', () => {
  for (const claims of [TDX, SGX, SNP]) {
    assert.deepEqual(paths(bind({ initData: 'bound' }, {}, claims)), [])
    assert.deepEqual(paths(bind({ initData: INIT_DATA_DIGEST }, {}, claims)), [])
    const other = bind({ initData: 'bound' }, { initDataDigest: hex('b3', 48) }, claims)
    assert.deepEqual(paths(other), ['initData'])
    assert.equal(other.trustVector.configuration, 96)
  }
})

test('a guest that sends none is refused where the policy asks for init-data', () => {
  for (const initData of ['bound', INIT_DATA_DIGEST]) {
    const result = bind({ initData }, { initDataDigest: 'none' })
    assert.deepEqual(paths(result), ['initData'])
    assert.equal(result.bound, false)
  }
  assert.deepEqual(paths(bind({ initData: 'any' }, { initDataDigest: 'none' })), [])
})

test('init-data that is sent is compared also where the policy does not ask for any', () => {
  assert.deepEqual(paths(bind({ initData: 'any' }, { initDataDigest: hex('b3', 48) })), ['initData'])
})

test('a sample, which has no field for init-data, is refused with it only where the policy asks for it', () => {
  const sent = { initDataDigest: INIT_DATA_DIGEST }
  const open = bind({ initData: 'any' }, sent, SAMPLE)
  assert.deepEqual(paths(open), [])
  assert.equal(open.bound, true)
  assert.ok(open.unchecked.includes('initData'))
  for (const initData of ['bound', INIT_DATA_DIGEST]) {
    assert.ok(paths(bind({ initData }, sent, SAMPLE)).includes('initData'))
  }
})

test('listed digests are compared with the evidence also outside of a session', () => {
  const listed = bind({ initData: [INIT_DATA_DIGEST, hex('cc', 32)] }, { initDataDigest: 'any' })
  assert.deepEqual(paths(listed), [])
  assert.equal(listed.bound, false)
  assert.deepEqual(paths(bind({ initData: [hex('cc', 48)] }, { initDataDigest: 'any' })), ['initData'])
})

test('init-data that is in the evidence but not listed is refused', () => {
  const one = bind({ initData: [hex('cc', 48)] }, {})
  assert.deepEqual(paths(one), ['initData'])
  assert.equal(one.violations[0]?.expected, hex('cc', 48))
  const two = bind({ initData: [hex('cc', 48), hex('dd', 32)] }, {})
  assert.equal(two.violations[0]?.expected, 'one of 2 digests')
})

test('a field too small for a digest, or a digest too short, binds nothing', () => {
  assert.deepEqual(paths(bind({ initData: 'bound' }, {}, withClaim(TDX, 'hostData', ''))), ['initData'])
  const zeros = withClaim(TDX, 'hostData', hex('00', 48))
  assert.deepEqual(paths(bind({ initData: 'bound' }, { initDataDigest: '00' }, zeros)), ['initData'])
})
