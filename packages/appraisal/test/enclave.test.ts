// The second layer: what a policy says of the enclave that a platform states, whatever kind the platform is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Claims, EnclaveClaims } from '@casemate/evidence'
import { type AppraisalResult, appraise, earClaims, PRESETS, parsePolicy, workloadOf } from '../src/index.ts'
import { hex, NOW, REPORT_DATA, SAMPLE, SGX, SNP, TDX } from './claims.ts'
import { NO_REFERENCES, open, BINDING as SESSION } from './policies.ts'

/** No init-data, which sample claims have none of. */
const BINDING = { ...SESSION, initDataDigest: 'none' }

const ENCLAVE: EnclaveClaims = {
  mrEnclave: hex('ee', 32),
  mrSigner: hex('55', 32),
  isvProdId: 7,
  isvSvn: 3,
  isvExtProdId: hex('00', 16),
  isvFamilyId: hex('00', 16),
  debug: false,
  signedOn: '2026-11-25',
  measuredBy: 'host',
  register: null,
}

const stating = (claims: Claims, changes: Partial<EnclaveClaims> = {}): Claims => ({
  ...claims,
  enclave: { ...ENCLAVE, ...changes },
})

function appraised(claims: Claims, enclave: object, changes: object = {}): AppraisalResult {
  const policy = open({ enclave, ...changes })
  return appraise({ claims, references: NO_REFERENCES, policy, binding: BINDING, now: NOW })
}

function violated({ violations }: AppraisalResult): string[] {
  return violations.map(({ path }) => path)
}

const WANTED = { mrEnclave: ENCLAVE.mrEnclave, mrSigner: ENCLAVE.mrSigner, isvProdId: 7, minIsvSvn: 3 }

for (const claims of [SGX, TDX, SNP, SAMPLE]) {
  test(`${claims.kind}: the same block accepts the stated enclave, and refuses a platform that states none`, () => {
    assert.deepEqual(violated(appraised(stating(claims), WANTED)), [])
    const without = appraised(claims, WANTED)
    assert.deepEqual(violated(without), ['enclave'])
    assert.match(without.violations[0]?.expected ?? '', /mrEnclave ee.*minIsvSvn at least 3/)
  })
}

const OTHERS: readonly (readonly [Partial<EnclaveClaims>, object, string])[] = [
  [{ mrEnclave: hex('ef', 32) }, WANTED, 'enclave.mrEnclave'],
  [{ mrSigner: hex('56', 32) }, WANTED, 'enclave.mrSigner'],
  [{ isvProdId: 8 }, WANTED, 'enclave.isvProdId'],
  [{ isvSvn: 2 }, WANTED, 'enclave.minIsvSvn'],
  [{ isvExtProdId: hex('01', 16) }, { isvExtProdId: hex('00', 16) }, 'enclave.isvExtProdId'],
  [{ isvFamilyId: hex('01', 16) }, { isvFamilyId: hex('00', 16) }, 'enclave.isvFamilyId'],
  [{ debug: true }, { debug: false }, 'enclave.debug'],
  [{ measuredBy: 'host' }, { measuredBy: 'processor' }, 'enclave.measuredBy'],
  [{ register: 'not-extended' }, { register: 'extended' }, 'enclave.register'],
  [{ register: null }, { register: 'extended' }, 'enclave.register'],
]
for (const [changes, wanted, path] of OTHERS) {
  test(`an enclave with ${JSON.stringify(changes).slice(0, 40)} violates ${path} and nothing else`, () => {
    assert.deepEqual(violated(appraised(stating(TDX, changes), wanted)), [path])
  })
}

test('a debug enclave on a production platform is debug, in the strict policy and in every one that refuses debugging', () => {
  const policy = parsePolicy({ extends: 'strict', name: 'mine', version: 1, workloads: 'any' })
  const of = (claims: Claims) =>
    appraise({ claims, references: NO_REFERENCES, policy, binding: BINDING, now: NOW })
  assert.deepEqual(violated(of(stating(TDX))), [])
  assert.deepEqual(violated(of(stating(TDX, { debug: true }))), ['enclave.debug'])
  assert.equal(PRESETS.strict.debug, false)
  assert.equal(PRESETS.standard.debug, false)
})

test('a policy that leaves debugging open warns of a debug enclave', () => {
  const result = appraised(stating(TDX, { debug: true }), {})
  assert.deepEqual(violated(result), [])
  assert.equal(result.trustVector.configuration, 32)
  assert.equal(result.trustVector['runtime-opaque'], 32)
})

test('a policy that asks nothing of an enclave accepts evidence without one, and lists what it leaves open of one', () => {
  assert.deepEqual(violated(appraised(TDX, {})), [])
  assert.ok(!appraised(TDX, {}).unchecked.includes('enclave.mrEnclave'))
  assert.ok(appraised(stating(TDX), {}).unchecked.includes('enclave.mrEnclave'))
})

test('a statement is compared with the session whatever the policy says of report data', () => {
  const other = { ...stating(TDX), reportData: hex('99', 64) }
  assert.equal(open({}).reportData, 'any')
  assert.deepEqual(violated(appraised(other, {})), ['reportData'])
  assert.deepEqual(violated(appraised({ ...TDX, reportData: hex('99', 64) }, {})), [])
})

test('outside of a session nothing binds a statement', () => {
  for (const reportData of ['any', 'bound']) {
    const policy = open({ reportData })
    const binding = { reportData: 'any', initDataDigest: 'any' }
    const result = appraise({ claims: stating(TDX), references: NO_REFERENCES, policy, binding, now: NOW })
    assert.deepEqual(violated(result), ['reportData'])
    assert.equal(result.bound, false)
  }
})

test('an enclave on a platform that nobody names is accepted by name only, with a warning and a word on it', () => {
  const unnamed = appraised(stating(TDX), WANTED)
  const vouching = unnamed.checks.find(({ path }) => path === 'workloads')
  assert.equal(vouching?.outcome, 'not-checked')
  assert.equal(unnamed.trustVector.executables, 33)
  const firmware = appraised(stating(TDX), WANTED, { tdx: { mrTd: hex('01', 48) } })
  assert.equal(firmware.checks.find(({ path }) => path === 'workloads')?.outcome, 'not-checked')
  assert.equal(firmware.trustVector.executables, 33)
  const named = appraised(stating(TDX), WANTED, {
    tdx: { mrTd: hex('01', 48), rtmr1: hex('11', 48), rtmr2: hex('12', 48) },
  })
  assert.ok(!named.checks.some(({ path }) => path === 'workloads'))
  assert.equal(named.trustVector.executables, 3)
})

test('the presets demand a known workload, so that a policy on them names the platform below an enclave', () => {
  const policy = parsePolicy({ extends: 'strict', name: 'mine', version: 1, enclave: WANTED })
  const result = appraise({
    claims: stating(TDX),
    references: NO_REFERENCES,
    policy,
    binding: BINDING,
    now: NOW,
  })
  assert.deepEqual(violated(result), ['workloads'])
})

test('a workload that is learnt from a TD whose register shows an enclave is one of every enclave', () => {
  const learnt = (claims: Claims) => workloadOf(claims, 'mine')
  const of = (workload: ReturnType<typeof workloadOf>) => (workload.kind === 'tdx' ? workload.rtmr3 : null)
  assert.equal(of(learnt(stating(TDX, { register: 'extended' }))), 'any')
  assert.deepEqual(of(learnt(stating(TDX, { register: 'not-extended' }))), [hex('13', 48)])
  assert.deepEqual(of(learnt(TDX)), [hex('13', 48)])
})

test('an enclave that the processor measured is known code where the policy names it, and only there', () => {
  const measured = stating(SGX, { measuredBy: 'processor' })
  assert.equal(appraised(measured, WANTED).trustVector.executables, 3)
  assert.equal(appraised(measured, { minIsvSvn: 3 }).trustVector.executables, 33)
})

test('a policy cannot name nothing: an empty list and null are refused', () => {
  for (const mrEnclave of [[], null, '', 'ee']) {
    assert.throws(() => open({ enclave: { mrEnclave } }), { code: 'policy-invalid' })
  }
  assert.throws(() => open({ enclave: { mrenclave: hex('ee', 32) } }), { code: 'policy-invalid' })
})

test('whatever stands in place of an enclave is judged, and is not taken for none', () => {
  for (const enclave of ['other', 1, true, [], {}]) {
    const claims = { ...TDX, enclave } as unknown as Claims
    assert.deepEqual(violated(appraised(claims, {}, { debug: false })), ['enclave.debug'])
  }
  const older = { ...TDX, enclave: undefined } as unknown as Claims
  assert.deepEqual(violated(appraised(older, {}, { debug: false })), [])
})

test('a token says which enclave was stated, beside the platform’s own claims', () => {
  const claims = stating(TDX)
  const result = appraised(claims, WANTED)
  const context = {
    claims,
    issuer: 'casemate',
    audience: 'casemate',
    tokenId: 'id',
    issuedAt: new Date(0),
    expiresAt: new Date(60_000),
    verifier: { developer: 'x', build: 'y' },
    nonce: null,
    runtimeData: null,
    initData: null,
  }
  const annotated = earClaims(result, context).submods.cpu0['ear.veraison.annotated-evidence']
  assert.deepEqual(annotated['casemate_enclave'], {
    mr_enclave: ENCLAVE.mrEnclave,
    mr_signer: ENCLAVE.mrSigner,
    isv_prod_id: 7,
    isv_svn: 3,
    isv_ext_prod_id: ENCLAVE.isvExtProdId,
    isv_family_id: ENCLAVE.isvFamilyId,
    debug: false,
    measured_by: 'host',
    register: null,
  })
  assert.equal(annotated['report_data'], REPORT_DATA)
  const without = earClaims(appraised(TDX, {}), { ...context, claims: TDX })
  assert.ok(!('casemate_enclave' in without.submods.cpu0['ear.veraison.annotated-evidence']))
})
