// Reference value documents, and finding workloads in many of them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AppraisalConfigError,
  appraise,
  mergeReferenceValues,
  PRESETS,
  parseReferenceValues,
  workloadOf,
} from '../src/index.ts'
import { hex, NOW, SAMPLE, SGX, SNP, TDX, withClaim } from './claims.ts'
import { BINDING } from './policies.ts'

function places(document: unknown): readonly string[] {
  try {
    parseReferenceValues(document)
  } catch (error) {
    assert.ok(error instanceof AppraisalConfigError, String(error))
    assert.equal(error.code, 'reference-values-invalid')
    return error.problems.map(({ path }) => path)
  }
  return assert.fail('the document was accepted')
}

const tdx = workloadOf(TDX, 'mine')

test('what evidence shows can be stored as a workload, and round-trips as JSON', () => {
  const workloads = [SGX, TDX, SNP, SAMPLE].map(claims => workloadOf(claims, 'mine'))
  const values = parseReferenceValues({ workloads })
  assert.deepEqual(values.workloads, workloads)
  assert.deepEqual(parseReferenceValues(JSON.stringify(values)), values)
})

test('a workload states every field of its kind and no other', () => {
  const { rtmr3: _, ...partial } = tdx as Record<string, unknown>
  assert.deepEqual(places({ workloads: [partial] }), ['workloads[0].rtmr3'])
  assert.deepEqual(places({ workloads: [{ ...tdx, mrEnclave: 'any' }] }), ['workloads[0].mrEnclave'])
  assert.deepEqual(places({ workloads: [{ ...tdx, rtmr0: [] }] }), ['workloads[0].rtmr0'])
  assert.deepEqual(places({ workloads: [{ ...tdx, name: 'Not A Name' }] }), ['workloads[0].name'])
})

test('a workload cannot have a name that means something else in a policy', () => {
  for (const name of ['any', 'known']) {
    assert.deepEqual(places({ workloads: [{ ...tdx, name }] }), ['workloads[0].name'])
  }
})

test('a workload of an unknown kind, or none, is refused', () => {
  for (const kind of ['sev', undefined, 5, '__proto__', 'constructor']) {
    assert.deepEqual(places({ workloads: [{ ...tdx, kind }] }), ['workloads[0].kind'])
  }
  assert.deepEqual(places({ workloads: ['mine'] }), ['workloads[0]'])
})

test('a workload that would match everything is refused', () => {
  const everything = {
    name: 'all',
    kind: 'tdx',
    mrTd: 'any',
    rtmr0: 'any',
    rtmr1: 'any',
    rtmr2: 'any',
    rtmr3: 'any',
  }
  assert.deepEqual(places({ workloads: [everything] }), ['workloads[0]'])
  const enclave = { name: 'all', kind: 'sgx', mrEnclave: 'any', mrSigner: 'any', isvProdId: 1, minIsvSvn: 1 }
  assert.deepEqual(places({ workloads: [enclave] }), ['workloads[0]'])
})

test('a name stands once per kind', () => {
  assert.deepEqual(places({ workloads: [tdx, tdx] }), ['workloads[1].name'])
  parseReferenceValues({ workloads: [tdx, workloadOf(SGX, 'mine')] })
})

test('a document without workloads is refused, and so is anything beside them', () => {
  for (const document of [{}, { workloads: [] }, { workloads: 'any' }, { workloads: null }]) {
    assert.deepEqual(places(document), ['workloads'])
  }
  assert.deepEqual(places({ workloads: [tdx], workload: [] }), ['workload'])
  assert.deepEqual(places([tdx]), [''])
})

test('documents are merged, and of two that match the first is named', () => {
  const first = parseReferenceValues({ workloads: [{ ...tdx, name: 'first' }] })
  const second = parseReferenceValues({ workloads: [{ ...tdx, name: 'second' }, workloadOf(SGX, 'enclave')] })
  const merged = mergeReferenceValues(first, second)
  assert.equal(merged.workloads.length, 3)
  const named = (claims: typeof TDX | typeof SGX) =>
    appraise({ claims, references: merged, policy: PRESETS.strict, binding: BINDING, now: NOW }).workload
  assert.equal(named(TDX), 'first')
  assert.equal(named(SGX), 'enclave')
})

test('among thousands of workloads the right one is found, and the closest to one that is not', () => {
  const workloads = Array.from({ length: 2000 }, (_, index) => {
    const id = index.toString(16).padStart(4, '0').repeat(24)
    return { ...tdx, name: `w${index}`, mrTd: [id], rtmr1: [id] }
  })
  const references = parseReferenceValues({ workloads })
  const claims = withClaim(withClaim(TDX, 'tdx.mrTd', '0567'.repeat(24)), 'tdx.rtmr1', '0567'.repeat(24))
  const judge = (of: typeof TDX) =>
    appraise({ claims: of, references, policy: PRESETS.strict, binding: BINDING, now: NOW })
  assert.equal(judge(claims).workload, `w1383`)
  const other = judge(withClaim(claims, 'tdx.rtmr1', hex('ff', 48)))
  assert.equal(other.closestReference?.workload, `w1383`)
  assert.deepEqual(
    other.closestReference?.differs.map(({ field }) => field),
    ['rtmr1'],
  )
})

test('more workloads than can be appraised by are refused', () => {
  const many = (prefix: string) =>
    parseReferenceValues({
      workloads: Array.from({ length: 2500 }, (_, index) => ({ ...tdx, name: `${prefix}${index}` })),
    })
  assert.throws(() => mergeReferenceValues(many('a'), many('b')), { code: 'reference-values-invalid' })
})
