// Evidence of Confidential Containers guests: read strictly, and verified like the bytes that it stands for.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type AmdPlatform, createAmdPlatform, createIntelPlatform } from '@casemate/simulator'
import { AMD_ANCHORS } from '../src/amd/anchors.ts'
import { encodeCertTable, parseCertTable } from '../src/amd/cert-table.ts'
import { verifySnp } from '../src/amd/verify.ts'
import { sgxKbsEvidence, tdxKbsEvidence } from '../src/intel/kbs.ts'
import { parseKbsEvidence } from '../src/kbs-evidence.ts'
import type { Kind } from '../src/kinds.ts'
import { parse } from '../src/parse.ts'
import { readEndorsements } from '../src/read-endorsements.ts'
import { Refusal, type RefusalCode } from '../src/refusal.ts'
import { sampleClaims } from '../src/sample/claims.ts'
import { sampleKbsEvidence } from '../src/sample/evidence.ts'
import { readFile, skipVectors } from './amd/vectors.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const REQUEST = { reportData: new Uint8Array(64).fill(5) }
const GUID = '9f4116cd-c503-4f8c-8f6f-fb68882d9a3f'

let amd: AmdPlatform
let sgx: { quote: string }
let tdx: { quote: string; cc_eventlog: null }
let snp: { attestation_report: Readonly<Record<string, unknown>>; cert_chain: unknown }

before(async () => {
  const intel = await createIntelPlatform({ now: NOW })
  amd = await createAmdPlatform({ now: NOW, modulusBits: 2048 })
  sgx = sgxKbsEvidence(intel.sgxQuote(REQUEST))
  tdx = tdxKbsEvidence(intel.tdxQuote(REQUEST))
  snp = amd.kbsEvidence(amd.snpReport(REQUEST))
})

function refuses(code: RefusalCode, tee: Kind, value: unknown): void {
  assert.throws(
    () => parseKbsEvidence(tee, value),
    error => {
      assert.ok(error instanceof Refusal, String(error))
      assert.equal(error.code, code, error.message)
      return true
    },
  )
}

test('a quote in base64 is the quote', () => {
  assert.deepEqual(parseKbsEvidence('sgx', sgx), parse(Buffer.from(sgx.quote, 'base64')))
  assert.deepEqual(parseKbsEvidence('tdx', tdx), parse(Buffer.from(tdx.quote, 'base64')))
  for (const log of [{ cc_eventlog: 'AAAA' }, { aa_eventlog: null }, {}]) {
    assert.equal(parseKbsEvidence('tdx', { quote: tdx.quote, ...log }).kind, 'tdx')
  }
})

test('a quote of another kind than it is named is refused', () => {
  refuses('evidence-malformed', 'sgx', { quote: tdx.quote })
  refuses('evidence-malformed', 'tdx', { quote: sgx.quote })
})

test('only standard base64 is taken, and no unknown member', () => {
  refuses('evidence-malformed', 'sgx', { quote: Buffer.from(sgx.quote, 'base64').toString('base64url') })
  refuses('evidence-malformed', 'sgx', { quote: `${sgx.quote}\n` })
  refuses('evidence-malformed', 'sgx', { quote: 7 })
  refuses('evidence-malformed', 'sgx', { ...sgx, cc_eventlog: null })
  refuses('evidence-malformed', 'tdx', { ...tdx, other: 1 })
  refuses('evidence-malformed', 'sgx', { quote: 'A'.repeat(1_000_000) })
})

test('what is not an object is refused', () => {
  for (const value of [null, undefined, 'text', 7, [], true]) {
    for (const tee of ['sgx', 'tdx', 'snp', 'sample'] as const) refuses('evidence-malformed', tee, value)
  }
})

test('a decoded report of every version and product verifies like its bytes', async () => {
  for (const product of ['Milan', 'Turin'] as const) {
    const platform = await createAmdPlatform({ now: NOW, modulusBits: 2048, product })
    const endorsements = readEndorsements(platform.endorsements.filter(({ name }) => name !== 'leaf.der'))
    for (const version of [2, 3, 4, 5] as const) {
      const evidence = parseKbsEvidence(
        'snp',
        platform.kbsEvidence(platform.snpReport({ ...REQUEST, version })),
      )
      assert.ok(evidence.kind === 'snp')
      const options = { now: NOW, anchors: platform.anchors }
      const { claims } = await verifySnp(evidence, endorsements, options)
      assert.equal(claims.reportVersion, version)
      assert.equal(claims.reportData, '05'.repeat(64))
    }
  }
})

test('a decoded report without certificates is read', () => {
  for (const cert_chain of [null, undefined, []]) {
    const evidence = parseKbsEvidence('snp', { ...snp, cert_chain })
    assert.ok(evidence.kind === 'snp')
    assert.deepEqual(evidence.certificates, [])
  }
})

test('a decoded report that lacks a field or has one of another size or type is refused', () => {
  const report = snp.attestation_report
  for (const name of Object.keys(report)) {
    if (name.startsWith('cpuid_')) continue
    const { [name]: value, ...rest } = report
    refuses('evidence-malformed', 'snp', { ...snp, attestation_report: rest })
    const wrong = Array.isArray(value) ? value.slice(1) : typeof value === 'number' ? `${value}` : []
    refuses('evidence-malformed', 'snp', { ...snp, attestation_report: { ...report, [name]: wrong } })
  }
  for (const [name, value] of [
    ['guest_svn', 2 ** 32],
    ['guest_svn', -1],
    ['policy', 2 ** 53],
    ['policy', 1.5],
    ['other', 0],
    ['launch_mit_vector', 1],
    ['cpuid_fam_id', 256],
    ['report_data', Array.from({ length: 64 }, () => 256)],
    ['current_tcb', { bootloader: 1, tee: 0, snp: 1, microcode: 1, other: 1 }],
  ] as const) {
    refuses('evidence-malformed', 'snp', { ...snp, attestation_report: { ...report, [name]: value } })
  }
  for (const [name, value] of [
    ['version', 6],
    ['sig_algo', 2],
    ['vmpl', 4],
  ] as const) {
    refuses('evidence-unsupported', 'snp', { ...snp, attestation_report: { ...report, [name]: value } })
  }
})

test('a refusal names the member that is wrong, and not what stood there', () => {
  const report = { ...snp.attestation_report, chip_id: [1, 2, 3] }
  assert.throws(() => parseKbsEvidence('snp', { ...snp, attestation_report: report }), {
    message: 'evidence.attestation_report.chip_id is an array of 3, want an array of 64 byte numbers',
  })
  const secret = { ...snp.attestation_report, chip_id: 'secret' }
  assert.throws(() => parseKbsEvidence('snp', { ...snp, attestation_report: secret }), {
    message: 'evidence.attestation_report.chip_id is a string, want an array of at most 64 byte numbers',
  })
})

test('a message holds nothing of the guest’s that a terminal obeys or that rearranges what one reads', () => {
  const hostile = '\u001b]0;x\u0007\u009b31m\u202eevil\u2066\u200b\u2028\u007f\u{e0041}\ud800"\\'
  const seen = (value: unknown, tee: Kind = 'snp'): string => {
    try {
      parseKbsEvidence(tee, value)
    } catch (error) {
      assert.ok(error instanceof Refusal, String(error))
      assert.doesNotMatch(
        `${error.message}${error.got}${error.expected}`,
        /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u,
      )
      return error.message
    }
    return assert.fail('accepted')
  }
  assert.match(seen({ ...snp, [hostile]: 1 }), /^evidence\."\\u001b\]0;x\\u0007\\u009b31m\\u202eevil\\u2066/)
  assert.match(seen({ ...snp, [`${'a'.repeat(63)}\u{1f600}`]: 1 }), /^evidence\."a{63}\\ud83d"/)
  assert.match(seen({ ...snp, plain_name: 1 }), /^evidence\.plain_name is 1/)
  seen({ ...snp, cert_chain: [{ cert_type: '\u001b[31m', data: [48, 0] }] })
  seen({ ...snp, cert_chain: [{ cert_type: { OTHER: '\u001b[31m' }, data: [48, 0] }] })
  seen({ svn: '\u001b[31m', report_data: '' }, 'sample')
  seen({ svn: '\u202e1', report_data: '' }, 'sample')
})

test('what a host stored beside the certificates is passed over, in JSON as in a binary table', () => {
  const certificate = { cert_type: 'VCEK', data: [48, 0] }
  const foreign = [
    { cert_type: { OTHER: GUID }, data: [1, 2, 3] },
    { cert_type: 'Empty', data: [] },
    { cert_type: 'Unheard', data: [1] },
    { cert_type: 'ASK', data: [] },
    { cert_type: 'ARK', data: Array.from({ length: 16 * 1024 + 1 }, () => 0) },
  ]
  const evidence = parseKbsEvidence('snp', { ...snp, cert_chain: [...foreign, certificate, ...foreign] })
  assert.ok(evidence.kind === 'snp')
  assert.deepEqual(evidence.certificates, [{ type: 'VCEK', bytes: new Uint8Array([48, 0]) }])
  const table = encodeCertTable([
    { type: 'ASK', bytes: new Uint8Array() },
    { type: 'ARK', bytes: new Uint8Array(16 * 1024 + 1) },
    ...evidence.certificates,
  ])
  assert.deepEqual(parseCertTable(table), evidence.certificates)
})

test('a certificate chain of another shape is refused', () => {
  const certificate = { cert_type: 'VCEK', data: [48, 0] }
  for (const cert_chain of [
    'text',
    [7],
    [{ ...certificate, cert_type: 7 }],
    [{ ...certificate, cert_type: { OTHER: GUID, more: 1 } }],
    [{ ...certificate, cert_type: { OTHER: 'x'.repeat(37) } }],
    [{ ...certificate, data: 'AAAA' }],
    [{ ...certificate, data: [256] }],
    [{ ...certificate, other: 1 }],
    [{ ...certificate, data: Array.from({ length: 65_537 }, () => 0) }],
    Array.from({ length: 9 }, () => certificate),
    Array.from({ length: 33 }, () => ({ ...certificate, cert_type: { OTHER: GUID } })),
  ]) {
    refuses('evidence-malformed', 'snp', { ...snp, cert_chain })
  }
})

test('a sample is read, and its claims are simulated', () => {
  const evidence = parseKbsEvidence('sample', sampleKbsEvidence(new Uint8Array(48).fill(9)))
  assert.ok(evidence.kind === 'sample')
  const claims = sampleClaims(evidence)
  assert.equal(claims.simulated, true)
  assert.equal(claims.reportData, `${'09'.repeat(48)}${'00'.repeat(16)}`)
  refuses('evidence-malformed', 'sample', { svn: '1', report_data: Buffer.alloc(65).toString('base64') })
  refuses('evidence-malformed', 'sample', { svn: 1, report_data: '' })
  refuses('evidence-malformed', 'sample', { svn: '1' })
})

test('the captured evidence of a Genoa guest verifies after encoding', { skip: skipVectors }, async () => {
  const text = new TextDecoder().decode(readFile('snp', 'coco-e2e-evidence-json', 'evidence.json'))
  const captured = JSON.parse(text) as { attestation_report: Record<string, number[]> }
  const evidence = parseKbsEvidence('snp', captured)
  assert.ok(evidence.kind === 'snp')
  const options = { now: new Date('2025-07-01T00:00:00Z'), anchors: AMD_ANCHORS }
  const { claims } = await verifySnp(evidence, { certificates: [], crls: [] }, options)
  assert.equal(claims.snp.product, 'Genoa')
  assert.equal(claims.simulated, false)
  const { measurement = [] } = captured.attestation_report
  assert.equal(claims.measurement, Buffer.from(measurement).toString('hex'))
  const changed = structuredClone(captured)
  changed.attestation_report['measurement']?.splice(0, 1, 0)
  const other = parseKbsEvidence('snp', changed)
  assert.ok(other.kind === 'snp')
  await assert.rejects(verifySnp(other, { certificates: [], crls: [] }, options), {
    code: 'quote-signature-invalid',
  })
})
