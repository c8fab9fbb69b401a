// The payload of the EAR token: what jose signs and verifies, the field types of draft-ietf-rats-ear, and the names
// that Confidential Containers' relying parties look for.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Claims } from '@casemate/evidence'
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import {
  appraise,
  type EarClaims,
  type EarContext,
  earClaims,
  PRESETS,
  TRUSTEE_EAT_PROFILE,
} from '../src/index.ts'
import { INIT_DATA_DIGEST, NOW, REPORT_DATA, SAMPLE, SGX, SNP, TDX, withClaim } from './claims.ts'
import { BINDING, NO_REFERENCES, open, PINNED } from './policies.ts'

const ISSUED = new Date('2026-11-22T10:00:00.900Z')
const NONCE = 'c2l4dGVlbiBieXRlcyBvZiBub25jZSBhbmQgbW9yZSE='

const context = (claims: Claims): EarContext => ({
  claims,
  issuer: 'https://broker.example',
  audience: 'https://relying-party.example',
  tokenId: '0198c9a2-3f0e-7e1e-8d3c-0c4f5a6b7c8d',
  issuedAt: ISSUED,
  expiresAt: new Date('2026-11-22T10:05:00Z'),
  verifier: { developer: 'casemate', build: 'appraisal 0.1.0' },
  nonce: NONCE,
  runtimeData: { nonce: NONCE, 'tee-pubkey': { kty: 'EC' } },
  initData: { 'aa.toml': { token_configs: {} } },
})

function payload(claims: Claims, changes: Partial<EarContext> = {}): EarClaims {
  const policy = open({ reportData: 'bound' })
  const binding = claims.kind === 'sample' ? { ...BINDING, initDataDigest: 'none' } : BINDING
  const result = appraise({ claims, references: NO_REFERENCES, policy, binding, now: NOW })
  return earClaims(result, { ...context(claims), ...changes })
}

/** What stands in an object at a dotted path; a name with a dot in it is found last. */
function dig(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  if (Object.hasOwn(value, path)) return Reflect.get(value, path)
  const dot = path.indexOf('.')
  return dot < 0 ? undefined : dig(Reflect.get(value, path.slice(0, dot)), path.slice(dot + 1))
}

const annotated = (claims: Claims) => payload(claims).submods.cpu0['ear.veraison.annotated-evidence']

test('a token of these claims verifies with jose, for its audience and within its time', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const claims = payload(TDX)
  const token = await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: 'k1' })
    .sign(privateKey)
  const verify = (audience: string, currentDate: Date) =>
    jwtVerify(token, publicKey, {
      issuer: claims.iss,
      audience,
      currentDate,
      requiredClaims: ['jti', 'iat', 'nbf', 'exp'],
    })
  const { payload: read } = await verify(claims.aud, new Date('2026-11-22T10:01:00Z'))
  assert.deepEqual(read, JSON.parse(JSON.stringify(claims)))
  await assert.rejects(verify('somebody else', ISSUED), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
  await assert.rejects(verify(claims.aud, new Date('2026-11-22T10:05:01Z')), { code: 'ERR_JWT_EXPIRED' })
  await assert.rejects(verify(claims.aud, new Date('2026-11-22T09:58:59Z')), {
    code: 'ERR_JWT_CLAIM_VALIDATION_FAILED',
  })
  assert.equal((await exportJWK(publicKey)).crv, 'P-256')
})

test('the payload has the field types of an EAR', () => {
  const claims = payload(TDX)
  assert.equal(claims.eat_profile, TRUSTEE_EAT_PROFILE)
  for (const time of [claims.iat, claims.nbf, claims.exp]) assert.ok(Number.isInteger(time))
  assert.equal(claims.iat, Math.floor(ISSUED.getTime() / 1000))
  assert.equal(claims.nbf, claims.iat - 60)
  assert.equal(typeof claims['ear.verifier-id'].developer, 'string')
  assert.equal(typeof claims['ear.verifier-id'].build, 'string')
  assert.ok(claims.eat_nonce !== undefined && claims.eat_nonce.length >= 8 && claims.eat_nonce.length <= 88)
  const { cpu0 } = claims.submods
  assert.ok(['none', 'affirming', 'warning', 'contraindicated'].includes(cpu0['ear.status']))
  assert.equal(cpu0['ear.appraisal-policy-id'], 'open')
  assert.deepEqual(Object.keys(cpu0['ear.trustworthiness-vector']), [
    'instance-identity',
    'configuration',
    'executables',
    'file-system',
    'hardware',
    'runtime-opaque',
    'storage-opaque',
    'sourced-data',
  ])
  for (const value of Object.values(cpu0['ear.trustworthiness-vector'])) {
    assert.ok(Number.isInteger(value) && value >= -128 && value <= 127)
  }
})

const NAMES: readonly (readonly [Claims, Readonly<Record<string, unknown>>])[] = [
  [
    TDX,
    {
      'tdx.quote.header.version': '0500',
      'tdx.quote.header.att_key_type': '0200',
      'tdx.quote.header.tee_type': '81000000',
      'tdx.quote.header.vendor_id': '939a7233f79c4ca9940a0db3957f0607',
      'tdx.quote.body.tcb_svn': TDX.tdx.teeTcbSvn,
      'tdx.quote.body.mr_seam': TDX.tdx.mrSeam,
      'tdx.quote.body.mrsigner_seam': TDX.tdx.mrSignerSeam,
      'tdx.quote.body.seam_attributes': TDX.tdx.seamAttributes,
      'tdx.quote.body.td_attributes': TDX.tdx.tdAttributes,
      'tdx.quote.body.xfam': TDX.tdx.xfam,
      'tdx.quote.body.mr_td': TDX.tdx.mrTd,
      'tdx.quote.body.mr_config_id': TDX.tdx.mrConfigId,
      'tdx.quote.body.mr_owner': TDX.tdx.mrOwner,
      'tdx.quote.body.mr_owner_config': TDX.tdx.mrOwnerConfig,
      'tdx.quote.body.rtmr_0': TDX.tdx.rtmr0,
      'tdx.quote.body.rtmr_1': TDX.tdx.rtmr1,
      'tdx.quote.body.rtmr_2': TDX.tdx.rtmr2,
      'tdx.quote.body.rtmr_3': TDX.tdx.rtmr3,
      'tdx.quote.body.report_data': REPORT_DATA,
      'tdx.quote.body.tee_tcb_svn2': TDX.tdx.teeTcbSvn2,
      'tdx.quote.body.mr_servicetd': TDX.tdx.mrServiceTd,
      'tdx.td_attributes.debug': false,
      'tdx.td_attributes.septve_disable': true,
      'tdx.td_attributes.protection_keys': false,
      'tdx.td_attributes.key_locker': false,
      'tdx.td_attributes.perfmon': false,
      'tdx.tcb_status': 'UpToDate',
      'tdx.tcb_date': '2025-08-13T00:00:00Z',
      'tdx.advisory_ids': [],
      'tdx.tcb_eval_num': 20,
      'tdx.collateral_expiration_status': '0',
      report_data: REPORT_DATA,
      init_data: INIT_DATA_DIGEST,
      'runtime_data_claims.tee-pubkey.kty': 'EC',
      'init_data_claims.aa.toml': { token_configs: {} },
    },
  ],
  [
    SGX,
    {
      'sgx.header.version': '0300',
      'sgx.header.att_key_type': '0200',
      'sgx.header.att_key_data_0': '00000000',
      'sgx.header.vendor_id': '939a7233f79c4ca9940a0db3957f0607',
      'sgx.body.cpu_svn': SGX.sgx.cpuSvn,
      'sgx.body.misc_select': SGX.sgx.miscSelect,
      'sgx.body.isv_ext_prod_id': SGX.sgx.isvExtProdId,
      'sgx.body.attributes.flags': SGX.sgx.attributesFlags,
      'sgx.body.attributes.xfrm': SGX.sgx.attributesXfrm,
      'sgx.body.mr_enclave': SGX.sgx.mrEnclave,
      'sgx.body.mr_signer': SGX.sgx.mrSigner,
      'sgx.body.config_id': SGX.sgx.configId,
      'sgx.body.isv_prod_id': '0700',
      'sgx.body.isv_svn': '0300',
      'sgx.body.config_svn': '0100',
      'sgx.body.isv_family_id': SGX.sgx.isvFamilyId,
      'sgx.body.report_data': REPORT_DATA,
      'sgx.tcb_status': 'UpToDate',
      init_data: SGX.hostData,
    },
  ],
  [
    SNP,
    {
      'snp.policy_abi_major': 0,
      'snp.policy_abi_minor': 31,
      'snp.policy_smt_allowed': true,
      'snp.policy_migrate_ma': false,
      'snp.policy_debug_allowed': false,
      'snp.policy_single_socket': false,
      'snp.reported_tcb_bootloader': 4,
      'snp.reported_tcb_tee': 1,
      'snp.reported_tcb_snp': 24,
      'snp.reported_tcb_microcode': 219,
      'snp.platform_tsme_enabled': false,
      'snp.platform_smt_enabled': true,
      'snp.measurement': SNP.measurement,
      'snp.chip_id': SNP.snp.chipId,
      init_data: SNP.hostData,
    },
  ],
  [
    SAMPLE,
    {
      'sample.svn': '1',
      'sample.launch_digest': 'abcde',
      'sample.platform_version': { major: 1, minor: 4 },
      'sample.debug': false,
    },
  ],
]

for (const [claims, names] of NAMES) {
  test(`${claims.kind} claims have the names and forms of Confidential Containers`, () => {
    const evidence = annotated(claims)
    for (const [path, value] of Object.entries(names)) assert.deepEqual(dig(evidence, path), value, path)
  })
}

test('a TDX 1.0 body has no 1.5 fields', () => {
  const evidence = annotated(withClaim(withClaim(TDX, 'tdx.teeTcbSvn2', null), 'tdx.mrServiceTd', null))
  for (const name of ['tee_tcb_svn2', 'mr_servicetd']) {
    assert.equal(name in (dig(evidence, 'tdx.quote.body') as object), false)
  }
})

test('simulated and sample evidence say so in the token, and are never affirming', () => {
  for (const claims of [SAMPLE, withClaim(TDX, 'simulated', true)]) {
    const token = payload(claims, { initData: null })
    assert.equal(token.casemate.simulated, true)
    assert.equal(token.submods.cpu0['ear.status'], 'warning')
  }
  assert.equal(payload(TDX).casemate.simulated, false)
})

test('a refusal can be signed too, and says that it is one', () => {
  const claims = withClaim(TDX, 'debug', true)
  const result = appraise({ claims, references: NO_REFERENCES, policy: PINNED, binding: BINDING, now: NOW })
  const token = earClaims(result, context(claims))
  assert.equal(token.casemate.accepted, false)
  assert.equal(token.submods.cpu0['ear.status'], 'contraindicated')
  assert.equal(JSON.stringify(token).includes('hint'), false)
})

test('what was not sent is not in the token', () => {
  const token = payload(TDX, { nonce: null, runtimeData: null, initData: null })
  assert.equal('eat_nonce' in token, false)
  const evidence = token.submods.cpu0['ear.veraison.annotated-evidence']
  assert.equal('runtime_data_claims' in evidence || 'init_data_claims' in evidence, false)
})

test('no token is made outside of a session, backwards in time, or with a nonce that EAT does not allow', () => {
  const unbound = appraise({
    claims: TDX,
    references: NO_REFERENCES,
    policy: PRESETS.strict,
    binding: { reportData: 'any', initDataDigest: 'any' },
    now: NOW,
  })
  assert.throws(() => earClaims(unbound, context(TDX)), { name: 'TypeError', message: /not bound/ })
  assert.throws(() => payload(TDX, { expiresAt: ISSUED }), { name: 'TypeError', message: /expire/ })
  assert.throws(() => payload(TDX, { issuedAt: new Date(Number.NaN) }), { name: 'TypeError' })
  for (const nonce of ['x'.repeat(8), 'x'.repeat(88)]) assert.equal(payload(TDX, { nonce }).eat_nonce, nonce)
  for (const nonce of ['x'.repeat(7), 'x'.repeat(89)])
    assert.throws(() => payload(TDX, { nonce }), { name: 'TypeError' })
})

test('of a kind that nobody knows, what every kind has is told', () => {
  const common = ['report_data', 'init_data', 'runtime_data_claims', 'init_data_claims'].toSorted()
  for (const kind of ['nitro', 'constructor', '__proto__']) {
    const told = Object.keys(annotated(withClaim(SGX, 'kind', kind)) ?? {})
    assert.deepEqual(told.toSorted(), common, kind)
  }
})
