// The signatures of an Intel quote from the PCK down: over the QE report, its binding of the attestation key, over the
// quote; and that what is remembered of a machine stands in for none of them.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { concat } from '../../src/bytes.ts'
import { parse, Refusal, readEndorsements, verify } from '../../src/index.ts'
import type { TdxQuote } from '../../src/intel/quote.ts'
import { refusal } from '../expect-refusal.ts'
import { NOW, plain, REPORT_DATA, refused, verifyGiven } from './isolated.ts'

refused('qe-report-signature-invalid', 'pck-chain', {
  'a QE report with another signature': { tdx: { tamper: ['qeReportSignature'] } },
  'a QE report that was changed': { tdx: { tamper: ['qeReport'] } },
  'a QE report of an SGX quote that was changed': { sgx: { tamper: ['qeReport'] } },
})
refused('qe-binding-mismatch', 'qe-report-signature', {
  'a QE report that binds another key': { tdx: { qeReport: { reportData: new Uint8Array(64).fill(1) } } },
  'another attestation key': { tdx: { tamper: ['attestationKey'] } },
  'other authentication data': { tdx: { tamper: ['authenticationData'] } },
})
refused('quote-signature-invalid', 'qe-binding', {
  'a quote with another signature': { tdx: { tamper: ['quoteSignature'] } },
  'an SGX quote with another signature': { sgx: { tamper: ['quoteSignature'] } },
  'changed report data': { tdx: { tamper: ['reportData'] } },
  'a changed MRTD': { tdx: { tamper: ['mrTd'] } },
  'a changed last migration field': {
    tdx: { format: 'v5-1.5-migration', tamper: ['currentServiceTdAttributes'] },
  },
  'a changed MRSERVICETD': { tdx: { format: 'v5-1.5', tamper: ['mrServiceTd'] } },
  'a changed MRENCLAVE': { sgx: { tamper: ['mrEnclave'] } },
})

test('a QE report that says more than the hash that binds is refused', async () => {
  const parsed = parse(plain.tdxQuote({ reportData: REPORT_DATA }))
  assert.ok(parsed.kind === 'tdx')
  const binding = createHash('sha256')
    .update(parsed.attestationKey)
    .update(parsed.qeAuthenticationData)
    .digest()
  const reportData = concat(binding, new Uint8Array(32))
  await verifyGiven({ tdx: { qeReport: { reportData } } })
  reportData[63] = 1
  const found = await refusal(verifyGiven({ tdx: { qeReport: { reportData } } }))
  assert.equal(found.code, 'qe-binding-mismatch')
})

test('what is remembered of a machine is believed of the same octets only', async () => {
  const parsed = parse(plain.tdxQuote({ reportData: REPORT_DATA }))
  assert.ok(parsed.kind === 'tdx')
  const bag = readEndorsements(plain.endorsements)
  const codeOf = (changes: Partial<TdxQuote>): Promise<string | null> =>
    verify({ ...parsed, ...changes }, bag, {
      now: NOW,
      anchors: plain.anchors,
      minTcbEvaluationDataNumber: 'any',
    }).then(
      () => null,
      (error: unknown) => (error instanceof Refusal ? error.code : Promise.reject(error)),
    )
  const flipped = (bytes: Uint8Array, at = bytes.length - 1): Uint8Array =>
    bytes.map((octet, index) => (index === at ? octet ^ 1 : octet))
  assert.equal(await codeOf({}), null)
  for (const [changes, code] of [
    [{ attestationKey: flipped(parsed.attestationKey) }, 'qe-binding-mismatch'],
    [{ qeAuthenticationData: flipped(parsed.qeAuthenticationData) }, 'qe-binding-mismatch'],
    [{ qeReportSignature: flipped(parsed.qeReportSignature) }, 'qe-report-signature-invalid'],
    [{ certificationType: 3 }, 'chain-incomplete'],
    [{ certificationData: flipped(parsed.certificationData, 100) }, 'certificate-signature-invalid'],
    [
      { qeReport: { ...parsed.qeReport, bytes: flipped(parsed.qeReport.bytes, 0) } },
      'qe-report-signature-invalid',
    ],
  ] as const) {
    const found = await codeOf(changes)
    const isOther = code === 'certificate-signature-invalid' && found === 'certificate-malformed'
    assert.ok(found === code || isOther, `${Object.keys(changes)[0]}: ${found}`)
    assert.equal(await codeOf({}), null)
  }
})

test('what is remembered of a machine does not change with the arrays that it came in', async () => {
  const parsed = parse(plain.tdxQuote({ reportData: REPORT_DATA }))
  assert.ok(parsed.kind === 'tdx')
  const genuine = structuredClone(parsed)
  const bag = readEndorsements(plain.endorsements)
  const options = { now: NOW, anchors: plain.anchors, minTcbEvaluationDataNumber: 'any' } as const
  await verify(parsed, bag, options)
  parsed.attestationKey[0] = (parsed.attestationKey[0] ?? 0) ^ 1
  assert.equal((await refusal(verify(parsed, bag, options))).code, 'qe-binding-mismatch')
  await verify(genuine, bag, options)
})
