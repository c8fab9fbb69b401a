// A report brought into the form of Confidential Containers guests is still the evidence that was signed.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type AmdPlatform, createAmdPlatform } from '@casemate/simulator'
import { snpKbsEvidence } from '../../src/amd/kbs.ts'
import { parseSnpReport, SNP_REPORT_SIZE } from '../../src/amd/report.ts'
import { decodeReport } from '../../src/amd/report-json.ts'
import { parseKbsEvidence } from '../../src/kbs-evidence.ts'
import { Refusal } from '../../src/refusal.ts'
import { readFile, readSnpVectors, skipVectors } from './vectors.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const REQUEST = { reportData: new Uint8Array(64).fill(5) }
let platforms: readonly AmdPlatform[]

before(async () => {
  platforms = await Promise.all(
    (['Milan', 'Turin'] as const).map(product => createAmdPlatform({ now: NOW, modulusBits: 2048, product })),
  )
})

function reportAfter(report: Uint8Array): Uint8Array {
  const evidence = parseKbsEvidence('snp', JSON.parse(JSON.stringify(snpKbsEvidence(report))))
  assert.ok(evidence.kind === 'snp')
  return evidence.report.bytes
}

test('a report of either TCB layout and any version is the same bytes after it was decoded and encoded', () => {
  for (const platform of platforms) {
    for (const version of [2, 3, 4, 5] as const) {
      const report = platform.snpReport({ ...REQUEST, version })
      assert.deepEqual(reportAfter(report), new Uint8Array(report))
    }
  }
})

test('certificates travel by their type, and none is said to be there where there is none', () => {
  const report = platforms[0]!.snpReport(REQUEST)
  assert.equal(snpKbsEvidence(report).cert_chain, null)
  const vcek = { type: 'VCEK', bytes: Uint8Array.of(1, 2) } as const
  assert.deepEqual(snpKbsEvidence(report, [vcek]).cert_chain, [{ cert_type: 'VCEK', data: [1, 2] }])
  const many = Array.from({ length: 20 }, () => vcek)
  assert.equal(snpKbsEvidence(report, many).cert_chain?.length, 8)
})

test('a number that JSON would round is refused instead', () => {
  const report = new Uint8Array(platforms[0]!.snpReport({ ...REQUEST, version: 5 }))
  report[0x1f8 + 7] = 0x80
  assert.throws(
    () => snpKbsEvidence(report),
    error => error instanceof Refusal && error.code === 'evidence-unsupported',
  )
})

test('a captured report is decoded to what the guest’s own library made of it', { skip: skipVectors }, () => {
  const text = new TextDecoder().decode(readFile('snp', 'coco-e2e-evidence-json', 'evidence.json'))
  const captured = JSON.parse(text) as { attestation_report: Record<string, unknown> }
  const evidence = parseKbsEvidence('snp', captured)
  assert.ok(evidence.kind === 'snp')
  const decoded = JSON.parse(JSON.stringify(decodeReport(evidence.report))) as Record<string, unknown>
  for (const [name, value] of Object.entries(captured.attestation_report)) {
    assert.deepEqual(decoded[name] ?? null, value, name)
  }
})

test('every captured binary report is the same after it was decoded', { skip: skipVectors }, () => {
  let seen = 0
  for (const { name, files } of readSnpVectors()) {
    for (const bytes of files.values()) {
      if (bytes.length !== SNP_REPORT_SIZE) continue
      const report = parseSnpReport(bytes)
      assert.deepEqual(reportAfter(bytes), report.bytes, name)
      seen++
    }
  }
  assert.ok(seen >= 3, `${seen} reports`)
})
