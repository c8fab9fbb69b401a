// From bytes to result: simulated platforms, and evidence captured on real hardware, verified and appraised.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import {
  type EndorsementSource,
  readEndorsements,
  recognise,
  type TrustAnchor,
  VENDOR_ANCHORS,
  verify,
} from '@casemate/evidence'
import { createAmdPlatform, createIntelPlatform } from '@casemate/simulator'
import { appraise, PRESETS, parsePolicy, parseReferenceValues, workloadOf } from '../src/index.ts'
import { REPORT_DATA } from './claims.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const REPORT_DATA_BYTES = Uint8Array.from(REPORT_DATA.match(/../g) ?? [], digits =>
  Number.parseInt(digits, 16),
)
const BINDING = { reportData: REPORT_DATA, initDataDigest: 'none' }
const OFFLINE = { reportData: 'any', initDataDigest: 'any' }

interface Trust {
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: Iterable<EndorsementSource>
}

async function claimsOf(bytes: Uint8Array, { anchors, endorsements }: Trust, now = NOW) {
  const options = { now, anchors, minTcbEvaluationDataNumber: 'any' as const }
  return (await verify(recognise(bytes), readEndorsements(endorsements), options)).claims
}

test('a simulated TDX workload is accepted by a policy that says so, and refused by strict as simulated alone', async () => {
  const platform = await createIntelPlatform({ now: NOW })
  const claims = await claimsOf(platform.tdxQuote({ reportData: REPORT_DATA_BYTES }), platform)
  const references = parseReferenceValues({ workloads: [workloadOf(claims, 'simulated')] })
  const policy = parsePolicy({ extends: 'strict', name: 'laptop', version: 1, simulated: 'any' })
  const accepted = appraise({ claims, references, policy, binding: BINDING, now: NOW })
  assert.deepEqual(accepted.violations, [])
  assert.deepEqual([accepted.workload, accepted.status, accepted.simulated], ['simulated', 'warning', true])
  const refused = appraise({ claims, references, policy: PRESETS.strict, binding: BINDING, now: NOW })
  assert.deepEqual(
    refused.violations.map(({ path }) => path),
    ['simulated'],
  )
})

test('a simulated SGX enclave and SNP guest meet the policy that their claims suggest', async () => {
  const intel = await createIntelPlatform({ now: NOW })
  const amd = await createAmdPlatform({ now: NOW })
  const all = [
    await claimsOf(intel.sgxQuote({ reportData: REPORT_DATA_BYTES }), intel),
    await claimsOf(amd.snpReport({ reportData: REPORT_DATA_BYTES, certificateTable: true }), amd),
  ]
  const policy = parsePolicy({
    extends: 'strict',
    name: 'laptop',
    version: 1,
    simulated: 'any',
    snp: { revocation: 'any', minimumTcb: { Milan: 'any', Genoa: 'any', Turin: 'any' } },
  })
  for (const claims of all) {
    const references = parseReferenceValues({ workloads: [workloadOf(claims, 'simulated')] })
    assert.deepEqual(
      appraise({ claims, references, policy, binding: BINDING, now: NOW }).violations,
      [],
      claims.kind,
    )
  }
})

const VECTORS = resolve(
  process.env['CASEMATE_VECTORS'] ?? resolve(import.meta.dirname, '../../../../shared/vectors'),
)
const skip = existsSync(resolve(VECTORS, 'tdx')) ? false : 'captured evidence is absent (CASEMATE_VECTORS)'

interface Meta {
  readonly suggested_time?: string
  readonly suggested_crls?: readonly string[]
  readonly suggested_collateral?: { readonly tcbinfo: string; readonly qe_identity: string | null }
}

/** Claims of a captured quote at its suggested time, with the collateral suggested for it. */
async function captured(vector: string) {
  const read = (path: string) => new Uint8Array(readFileSync(resolve(VECTORS, path)))
  const meta = JSON.parse(readFileSync(resolve(VECTORS, vector, 'meta.json'), 'utf8')) as Meta
  const { tcbinfo, qe_identity } = meta.suggested_collateral ?? {}
  const paths = [
    ...readdirSync(resolve(VECTORS, 'roots/intel')).map(file => `roots/intel/${file}`),
    ...[tcbinfo, qe_identity, ...(meta.suggested_crls ?? [])].filter(path => typeof path === 'string'),
  ]
  const endorsements = paths.map(name => ({ name, bytes: read(name) }))
  const trust = { anchors: VENDOR_ANCHORS, endorsements }
  return claimsOf(read(`${vector}/quote.bin`), trust, new Date(meta.suggested_time ?? ''))
}

test('a quote of a real, up-to-date TDX domain is affirmed once its workload is known', {
  skip,
}, async () => {
  const claims = await captured('tdx/cdai-live-evidence')
  const known = parseReferenceValues({ workloads: [workloadOf(claims, 'captured')] })
  const result = appraise({ claims, references: known, policy: PRESETS.strict, binding: OFFLINE, now: NOW })
  assert.deepEqual(result.violations, [])
  assert.equal(result.status, 'affirming')
  assert.equal(result.bound, false)
})

test('a quote of a real domain that is debugged is refused for that alone', { skip }, async () => {
  const claims = await captured('tdx/coco-tdx-quote-4')
  const known = parseReferenceValues({ workloads: [workloadOf(claims, 'captured')] })
  const result = appraise({ claims, references: known, policy: PRESETS.strict, binding: OFFLINE, now: NOW })
  assert.deepEqual(
    result.violations.map(({ path }) => path),
    ['debug'],
  )
  assert.equal(result.status, 'contraindicated')
})

test('a quote of a real machine that is out of date is refused with its advisories', { skip }, async () => {
  const claims = await captured('tdx/coco-td-quote')
  const known = parseReferenceValues({ workloads: [workloadOf(claims, 'captured')] })
  for (const policy of Object.values(PRESETS)) {
    const result = appraise({ claims, references: known, policy, binding: OFFLINE, now: NOW })
    assert.deepEqual(
      result.violations.map(({ path, got }) => [path, got]),
      [
        ['tcb.statuses', 'OutOfDate'],
        ['tcb.advisories', claims.advisoryIds.join(', ')],
      ],
    )
  }
})

test('a quote of a real domain that may migrate is refused for that by both presets', { skip }, async () => {
  const claims = await captured('tdx/oe-tdx-quote-v5')
  const known = parseReferenceValues({ workloads: [workloadOf(claims, 'captured')] })
  for (const preset of [PRESETS.strict, PRESETS.standard]) {
    const { violations } = appraise({ claims, references: known, policy: preset, binding: OFFLINE, now: NOW })
    assert.ok(violations.some(({ path }) => path === 'tdx.attributes.migratable'))
  }
})

test('a real enclave that needs software hardening is a warning to standard, and refused by strict', {
  skip,
}, async () => {
  const claims = await captured('sgx/automata-sample-quotes')
  const known = parseReferenceValues({ workloads: [workloadOf(claims, 'captured')] })
  const standard = appraise({
    claims,
    references: known,
    policy: PRESETS.standard,
    binding: OFFLINE,
    now: NOW,
  })
  assert.deepEqual(standard.violations, [])
  assert.equal(standard.status, 'warning')
  assert.equal(
    appraise({ claims, references: known, policy: PRESETS.strict, binding: OFFLINE, now: NOW }).accepted,
    false,
  )
})
