// Evidence in every written form gives what its bytes give.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { before, test } from 'node:test'
import { createAmdPlatform, createIntelPlatform } from '@casemate/simulator'
import * as fc from 'fast-check'
import { MAX_RECOGNISED_BYTES } from '../src/forms/layer.ts'
import { sgxKbsEvidence, tdxKbsEvidence } from '../src/intel/kbs.ts'
import { parse } from '../src/parse.ts'
import { recognise } from '../src/recognise.ts'
import { Refusal, type RefusalCode } from '../src/refusal.ts'
import { sampleKbsEvidence } from '../src/sample/evidence.ts'
import { skip, VECTORS } from './vectors.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const REPORT_DATA = new Uint8Array(64).fill(3)

let samples: readonly { readonly name: string; readonly bytes: Uint8Array; readonly kbs: unknown }[] = []

before(async () => {
  const intel = await createIntelPlatform({ now: NOW })
  const amd = await createAmdPlatform({ now: NOW, modulusBits: 2048 })
  const request = { reportData: REPORT_DATA }
  const [sgx, tdx] = [intel.sgxQuote(request), intel.tdxQuote(request)]
  const snp = amd.snpReport({ ...request, certificateTable: true })
  samples = [
    { name: 'sgx', bytes: sgx, kbs: sgxKbsEvidence(sgx) },
    { name: 'tdx', bytes: tdx, kbs: tdxKbsEvidence(tdx) },
    { name: 'snp', bytes: snp, kbs: amd.kbsEvidence(snp.subarray(0, 1184)) },
  ]
})

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

function writtenForms(bytes: Uint8Array): readonly Uint8Array[] {
  const buffer = Buffer.from(bytes)
  const hex = buffer.toString('hex')
  const base64 = buffer.toString('base64')
  const wrapped = (text: string): string => (text.match(/.{1,64}/g) ?? []).join('\n')
  return [
    bytes,
    buffer,
    utf8(hex),
    utf8(hex.toUpperCase()),
    utf8(`0x${hex}\n`),
    utf8(`\r\n ${wrapped(hex)}\n`),
    utf8(base64),
    utf8(wrapped(base64)),
    utf8(buffer.toString('base64url')),
    utf8(JSON.stringify(base64)),
  ]
}

function refuses(code: RefusalCode, bytes: Uint8Array): void {
  assert.throws(
    () => recognise(bytes),
    error => {
      assert.ok(error instanceof Refusal, String(error))
      assert.equal(error.code, code, error.message)
      return true
    },
  )
}

test('binary, hex, base64 and base64url, wrapped or not, give the same evidence', () => {
  assert.equal(samples.length, 3)
  for (const { bytes } of samples) {
    for (const form of writtenForms(bytes)) assert.deepEqual(recognise(form), parse(bytes))
  }
})

test('the KBS’s evidence JSON gives its kind, alone and inside of a request', () => {
  for (const { name, kbs } of samples) {
    const alone = recognise(utf8(JSON.stringify(kbs)))
    assert.equal(alone.kind, name)
    const forms: readonly unknown[] = [
      { tee: name, evidence: kbs },
      { tee: name, evidence: JSON.stringify(kbs) },
      {
        'init-data': null,
        'runtime-data': {},
        'tee-evidence': { primary_evidence: kbs, additional_evidence: '' },
      },
      { primary_evidence: kbs, additional_evidence: '' },
      {
        verification_requests: [
          { tee: name, evidence: Buffer.from(JSON.stringify(kbs)).toString('base64url') },
        ],
        policy_ids: ['default'],
      },
    ]
    for (const form of forms) assert.deepEqual(recognise(utf8(`\uFEFF${JSON.stringify(form)}`)), alone)
  }
})

test('sample evidence is recognised and says that it is simulated', () => {
  const evidence = recognise(utf8(JSON.stringify(sampleKbsEvidence(REPORT_DATA))))
  assert.equal(evidence.kind, 'sample')
})

test('a quote behind an Open Enclave header is the quote', () => {
  const [sgx] = samples
  assert.ok(sgx)
  const header = Buffer.alloc(16)
  header.writeUInt32LE(1, 0)
  header.writeUInt32LE(2, 4)
  header.writeBigUInt64LE(BigInt(sgx.bytes.length), 8)
  const report = Buffer.concat([header, sgx.bytes])
  for (const form of writtenForms(report)) assert.deepEqual(recognise(form), parse(sgx.bytes))
  assert.deepEqual(recognise(Buffer.concat([report, Buffer.from([9, 9])])), parse(sgx.bytes))
  header.writeBigUInt64LE(BigInt(sgx.bytes.length + 1), 8)
  refuses('evidence-malformed', Buffer.concat([header, sgx.bytes]))
})

test('what is no evidence is refused', () => {
  for (const text of [
    '',
    ' \n',
    'hello, world!',
    '{}',
    '[]',
    '{',
    'null',
    '"',
    '""',
    '{"quote":7}',
    '{"quote":{}}',
  ]) {
    refuses('evidence-malformed', utf8(text))
  }
  refuses('evidence-malformed', Uint8Array.from([0xff, 0xfe, 0xfd]))
  const [sgx] = samples
  assert.ok(sgx)
  const padded = `${' '.repeat(MAX_RECOGNISED_BYTES)}${Buffer.from(sgx.bytes).toString('hex')}`
  refuses('evidence-malformed', utf8(padded))
})

test('evidence inside of endless wrappers is refused', () => {
  let value: unknown = { quote: 'AAAA' }
  for (let depth = 0; depth < 100; depth++) value = { evidence: value }
  refuses('evidence-malformed', utf8(JSON.stringify(value)))
  let text = '"AAAA"'
  for (let depth = 0; depth < 12; depth++) text = JSON.stringify(text)
  refuses('evidence-malformed', utf8(text))
  let bytes = samples[0]?.bytes ?? new Uint8Array(0)
  for (let depth = 0; depth < 12; depth++) bytes = utf8(Buffer.from(bytes).toString('base64'))
  refuses('evidence-malformed', bytes)
})

test('nothing but a Refusal comes out of any text', () => {
  const json = samples.map(({ kbs }) => JSON.stringify({ 'tee-evidence': { primary_evidence: kbs } }))
  fc.assert(
    fc.property(
      fc.nat(json.length - 1),
      fc.array(fc.tuple(fc.nat(20_000), fc.integer({ min: 0x20, max: 0x7e })), { maxLength: 4 }),
      fc.option(fc.nat(20_000)),
      (index, edits, size) => {
        const bytes = utf8(json[index] ?? '')
        for (const [offset, value] of edits) if (offset < bytes.length) bytes[offset] = value
        try {
          recognise(bytes.subarray(0, size ?? bytes.length))
        } catch (error) {
          assert.ok(error instanceof Refusal, String(error))
        }
      },
    ),
    { numRuns: process.env['CASEMATE_LONG_TESTS'] === '1' ? 10_000 : 300 },
  )
})

test('every captured quote and report is recognised in every form', { skip }, () => {
  let recognised = 0
  for (const kind of ['sgx', 'tdx', 'snp']) {
    for (const name of readdirSync(resolve(VECTORS, kind))) {
      const path = ['quote.bin', 'report.bin']
        .map(file => resolve(VECTORS, kind, name, file))
        .find(existsSync)
      if (path === undefined) continue
      const bytes = new Uint8Array(readFileSync(path))
      const parsed = attempt(() => parse(bytes))
      const forms = writtenForms(bytes).map(form => attempt(() => recognise(form)))
      for (const form of forms) assert.deepEqual(form, parsed, name)
      if (typeof parsed !== 'string') recognised++
    }
  }
  assert.ok(recognised > 55, `${recognised}`)
})

function attempt<T>(work: () => T): T | string {
  try {
    return work()
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    return error.code
  }
}
