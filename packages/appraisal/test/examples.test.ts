// The example documents: they parse, and they accept and refuse what they say.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Claims } from '@casemate/evidence'
import { appraise, parsePolicy, parseReferenceValues } from '../src/index.ts'
import { NOW, SAMPLE, SGX, SNP, TDX, withClaim } from './claims.ts'
import { BINDING } from './policies.ts'

const FOLDER = new URL('../examples/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8')
const references = parseReferenceValues(read('reference-values.yaml'))

function judge(policy: string, claims: Claims) {
  const binding = claims.kind === 'sample' ? { ...BINDING, initDataDigest: 'none' } : BINDING
  return appraise({ claims, references, policy: parsePolicy(read(policy)), binding, now: NOW })
}

const paths = (policy: string, claims: Claims) => judge(policy, claims).violations.map(({ path }) => path)

test('every example has a test here', () => {
  assert.deepEqual(readdirSync(FOLDER).sort(), [
    'development.yaml',
    'reference-values.yaml',
    'sgx-signer.yaml',
    'snp-minimum-tcb.yaml',
    'strict-tdx.yaml',
  ])
})

test('strict-tdx accepts a known TDX workload and nothing weaker', () => {
  assert.equal(judge('strict-tdx.yaml', TDX).workload, 'payments')
  assert.deepEqual(paths('strict-tdx.yaml', TDX), [])
  assert.deepEqual(paths('strict-tdx.yaml', withClaim(TDX, 'tcbEvaluationDataNumber', 17)), [
    'tcb.minEvaluationDataNumber',
  ])
  assert.deepEqual(paths('strict-tdx.yaml', withClaim(TDX, 'tdx.attributes.septVeDisable', false)), [
    'tdx.attributes.septVeDisable',
  ])
  assert.deepEqual(paths('strict-tdx.yaml', SNP).slice(0, 1), ['kinds'])
})

test('snp-minimum-tcb accepts firmware from its minimum on', () => {
  assert.deepEqual(paths('snp-minimum-tcb.yaml', SNP), [])
  assert.deepEqual(paths('snp-minimum-tcb.yaml', withClaim(SNP, 'snp.reportedTcb.snp', 23)), [
    'snp.minimumTcb.Milan.snp',
  ])
})

test('sgx-signer needs no reference values', () => {
  assert.deepEqual(paths('sgx-signer.yaml', withClaim(SGX, 'tcbStatus', 'SWHardeningNeeded')), [])
  assert.deepEqual(paths('sgx-signer.yaml', withClaim(SGX, 'sgx.isvSvn', 2)), ['sgx.minIsvSvn'])
})

test('development accepts the sample attester once it is a known workload', () => {
  assert.deepEqual(paths('development.yaml', SAMPLE), ['workloads'])
  const result = judge('development.yaml', withClaim(TDX, 'simulated', true))
  assert.equal(result.accepted, true)
  assert.equal(result.status, 'warning')
})
