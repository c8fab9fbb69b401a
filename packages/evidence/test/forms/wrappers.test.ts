// What services and tools wrap evidence in, and in any order, is taken off; the certificates beside it are kept.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { encodeCertTable } from '../../src/amd/cert-table.ts'
import { MAX_GUNZIPPED_BYTES } from '../../src/forms/gzip.ts'
import type { ParsedEvidence } from '../../src/kinds.ts'
import { parse } from '../../src/parse.ts'
import { recognise } from '../../src/recognise.ts'
import { Refusal } from '../../src/refusal.ts'
import { skip, VECTORS } from '../vectors.ts'
import { refuses } from './expect-refusal.ts'
import { sgx, snp, tdx } from './simulated.ts'
import { b64, b64url, json, pemOf, utf8, xxd } from './written.ts'

const isLong = process.env['CASEMATE_LONG_TESTS'] === '1'

const dersOf = (evidence: ParsedEvidence): readonly string[] =>
  evidence.kind === 'snp' ? evidence.certificates.map(({ bytes }) => derOf(bytes)) : []
const derOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes[0] === 0x2d ? pemBody(bytes) : bytes).toString('hex')
const pemBody = (bytes: Uint8Array): Buffer =>
  Buffer.from(
    Buffer.from(bytes)
      .toString()
      .replaceAll(/-----[^-]*-----|\s/g, ''),
    'base64',
  )

test('gzip is read, also inside of base64 in JSON, and a bomb is refused at the limit', () => {
  assert.deepEqual(recognise(gzipSync(tdx)), parse(tdx))
  assert.deepEqual(recognise(json({ evidence: { quote: b64(gzipSync(tdx)) } })), parse(tdx))
  refuses('evidence-malformed', gzipSync(Buffer.alloc(MAX_GUNZIPPED_BYTES + 1)), /gzip is damaged: more than/)
  refuses('evidence-malformed', gzipSync(tdx).subarray(0, -9), /gzip is damaged: no or only a part/)
  refuses('evidence-malformed', Buffer.from('1f8b0800', 'hex'), /gzip is damaged/)
  let nested: Uint8Array = gzipSync(tdx)
  for (let depth = 0; depth < 30; depth++) nested = gzipSync(nested)
  refuses('evidence-malformed', nested, /too many wrappers, in gzip in gzip/)
})

interface Wrapped {
  readonly value: unknown
  readonly evidence: Buffer
  /** Certificates that have to come with it. */
  readonly certificates?: true
}

function wrappers(): Readonly<Record<string, Wrapped>> {
  const { report, pem, table } = snp
  const nonce = { val: 'AA==', iat: 'AA==', signature: 'AA==' }
  const maa = { SnpReport: b64url(report), VcekCertChain: b64url(pem) }
  const runtimeData = { data: 'e30', dataType: 'JSON' }
  const tdxResponse = {
    quote: `0x${tdx.toString('hex')}`,
    event_log: '[]',
    hash_algorithm: 'raw',
    prefix: '',
  }
  return {
    'Intel Trust Authority, v1': {
      value: { quote: b64(tdx), verifier_nonce: nonce, runtime_data: 'AA==' },
      evidence: tdx,
    },
    'Intel Trust Authority, v2': {
      value: { policy_ids: [], tdx: { quote: b64(tdx), verifier_nonce: nonce } },
      evidence: tdx,
    },
    'Intel Trust Authority, SGX': { value: { sgx: { quote: b64(sgx), user_data: 'AA==' } }, evidence: sgx },
    'Intel Trust Authority, SEV-SNP': {
      value: { sevsnp: { report: b64(report), verifier_nonce: nonce } },
      evidence: report,
    },
    'Azure Attestation, SGX': { value: { quote: b64url(sgx), runtimeData, nonce: '1' }, evidence: sgx },
    'Azure Attestation of 2020': { value: { Quote: b64(sgx), EnclaveHeldData: 'AA==' }, evidence: sgx },
    'Azure Attestation, TDX': { value: { quote: b64url(tdx), runtimeData }, evidence: tdx },
    'Azure Attestation, SEV-SNP': {
      value: { report: b64url(JSON.stringify({ ...maa, Endorsements: 'e30' })), runtimeData },
      evidence: report,
      certificates: true,
    },
    'Azure’s report alone': { value: maa, evidence: report, certificates: true },
    'Veraison’s TSM report of SEV-SNP': {
      value: { auxblob: b64(table), outblob: b64(report), provider: 'sev_guest' },
      evidence: report,
      certificates: true,
    },
    'Veraison’s TSM report of TDX': {
      value: { outblob: b64(tdx), auxblob: '', provider: 'tdx_guest' },
      evidence: tdx,
    },
    'a report with its chain in a list': {
      value: {
        report: b64(report),
        cert_chain: pem.split(/(?<=END CERTIFICATE-----\n)/).filter(it => it !== ''),
      },
      evidence: report,
      certificates: true,
    },
    dstack: {
      value: { quote: tdx.toString('hex'), event_log: '[]', report_data: '00', vm_config: '{}' },
      evidence: tdx,
    },
    'dstack’s tappd': { value: tdxResponse, evidence: tdx },
    'dstack’s Attest of SEV-SNP': {
      value: { attestation: scale(3, report, pem) },
      evidence: report,
      certificates: true,
    },
    'dstack’s Attest of TDX': { value: { attestation: scale(0, tdx, '') }, evidence: tdx },
    'Phala’s attestation report': {
      value: {
        signing_address: '0x00',
        intel_quote: tdx.toString('hex'),
        nvidia_payload: '{}',
        event_log: '[]',
      },
      evidence: tdx,
    },
    'Phala Cloud': {
      value: { is_online: true, app_certificates: [{ cert: 'x', quote: tdx.toString('hex') }] },
      evidence: tdx,
    },
    RPC: { value: { jsonrpc: '2.0', id: 1, result: tdxResponse }, evidence: tdx },
  }
}

/** SCALE: version 0, the variant, then lengths in two bits and the rest. */
function scale(variant: number, quote: Buffer, pem: string): string {
  const compact = (value: number): Buffer => {
    const bytes = Buffer.alloc(value < 64 ? 1 : value < 2 ** 14 ? 2 : 4)
    bytes.writeUIntLE(value * 4 + { 1: 0, 2: 1, 4: 2 }[bytes.length as 1 | 2 | 4], 0, bytes.length)
    return bytes
  }
  const certificates = pem.split(/(?<=END CERTIFICATE-----\n)/).filter(it => it !== '')
  const parts = certificates.flatMap(it => [compact(it.length), Buffer.from(it)])
  const head = [Buffer.from([0, variant]), compact(quote.length), quote]
  return Buffer.concat([...head, compact(certificates.length), ...parts, Buffer.from('rest')]).toString('hex')
}

test('what services and tools wrap evidence in is taken off, and the certificates beside it are kept', () => {
  for (const [name, { value, evidence, certificates }] of Object.entries(wrappers())) {
    for (const form of [json(value), utf8(JSON.stringify(value, null, 2)), gzipSync(json(value))]) {
      const found = recognise(form)
      const { kind } = parse(evidence)
      assert.equal(found.kind, kind, name)
      assert.deepEqual({ ...found, certificates: null }, { ...parse(evidence), certificates: null }, name)
      assert.deepEqual(dersOf(found), certificates === true ? snp.ders : [], name)
    }
  }
})

test('the answer of AMD’s firmware is the report in it', () => {
  const answer = Buffer.alloc(4000)
  answer.writeUInt32LE(1184, 4)
  snp.report.copy(answer, 32)
  assert.deepEqual(recognise(answer), parse(snp.report))
  for (const offset of [0, 4, 9]) {
    const other = Buffer.from(answer)
    other[offset] = (other[offset] ?? 0) ^ 1
    assert.throws(() => recognise(other), Refusal)
  }
})

test('an attestation of dstack that is too short, of another version or of Nitro is none of a quote', () => {
  const attestation = (hex: string) => json({ attestation: hex })
  refuses('evidence-unsupported', attestation(scale(0, tdx.subarray(0, 600), '')), /version 0/)
  refuses('evidence-malformed', attestation(scale(5, tdx, '')), /bytes that begin with 00 05/)
  refuses('evidence-malformed', attestation(`01${scale(3, snp.report, '').slice(2)}`), /begin with 01 03/)
  refuses('evidence-unsupported', attestation(scale(2, tdx, '')), /AWS Nitro attestation in one of dstack/)
})

test('an attestation of dstack with more certificates than a chain has, or with a part of them, is refused', () => {
  const [pem = ''] = snp.pem.split(/(?<=END CERTIFICATE-----\n)/)
  const attestation = (hex: string) => json({ attestation: hex })
  const with8 = scale(3, snp.report, pem.repeat(8))
  assert.equal(dersOf(recognise(attestation(with8))).length, 8)
  const many = refuses('evidence-malformed', attestation(scale(3, snp.report, pem.repeat(9))), /too many/)
  assert.deepEqual([many.expected, many.got], ['at most 8', '9'])
  const cut = with8.slice(0, -2 * ('rest'.length + 1))
  refuses('evidence-malformed', attestation(cut), /attestation of dstack is damaged: one that is cut/)
  const headOnly = scale(3, snp.report, '').slice(0, -2 * 'rest'.length - 2)
  refuses('evidence-malformed', attestation(headOnly), /attestation of dstack is damaged: one that is cut/)
})

test('a header of Open Enclave of a kind that is not known is none', () => {
  const header = Buffer.alloc(16)
  header.writeUInt32LE(1, 0)
  header.writeUInt32LE(3, 4)
  header.writeBigUInt64LE(BigInt(tdx.length), 8)
  assert.throws(() => recognise(Buffer.concat([header, tdx])), Refusal)
  header.writeUInt32LE(2, 4)
  assert.deepEqual(recognise(Buffer.concat([header, tdx])), parse(tdx))
})

test('certificates beside a report that cannot be read are refused by the name of their member', () => {
  const wrapped = (auxblob: string) => json({ outblob: b64(snp.report), auxblob })
  refuses('evidence-malformed', wrapped('?'), /certificates in auxblob cannot be read/)
  refuses(
    'evidence-malformed',
    wrapped(b64(snp.table.subarray(0, 40))),
    /certificates in auxblob cannot be read/,
  )
  refuses('evidence-malformed', wrapped(b64(pemOf(Buffer.from('junk')))), /certificates in auxblob/)
  refuses('evidence-malformed', wrapped(b64(Buffer.alloc(64 * 1024 + 1))), /no bytes of that size/)
  const bytes = Buffer.from(snp.ders[0] ?? '', 'hex')
  const many = encodeCertTable(Array.from({ length: 9 }, () => ({ type: 'VCEK' as const, bytes })))
  refuses('evidence-malformed', wrapped(b64(many)), /certificates in auxblob.*too many/)
})

test('a list of several is not one piece of evidence', () => {
  const one = { intel_quote: tdx.toString('hex') }
  const { hint } = refuses('evidence-malformed', json({ model_attestations: [one, one] }), /a list of 2/)
  assert.match(hint ?? '', /cut one of them out/)
})

test('what could be read as one piece of evidence or as another is refused', () => {
  const [a, b] = [b64(tdx), b64(snp.report)]
  refuses('evidence-malformed', utf8(`{"quote":"${a}","quote":"${b}"}`), /"?quote"? twice in one object/)
  refuses('evidence-malformed', utf8(`{"x":[{"a":1,"\\u0061":2}],"quote":"${a}"}`), /a"? twice in one object/)
  refuses('evidence-malformed', utf8(pemOf(tdx, 'QUOTE') + pemOf(snp.report, 'REPORT')), /damaged: several/)
})

test('a document with two pieces of evidence is refused by what they are, wherever the second stands', () => {
  const [a, b, c] = [b64(tdx), b64(snp.report), b64(sgx)]
  const pairs: readonly (readonly [unknown, RegExp])[] = [
    [{ policy_ids: [], tdx: { quote: a }, sevsnp: { report: b } }, /evidence: tdx, and snp in sevsnp;/],
    [{ quote: c, td_quote: a }, /evidence: tdx, and sgx in quote$|evidence: sgx, and tdx in td_quote;/],
    [{ result: { data: { report: b } }, token: { quote: a } }, /evidence: tdx, and snp in result;/],
    [{ intel_quote: a, model_attestations: [{ intel_quote: c }, {}] }, /tdx, and sgx in model_attestations;/],
    [{ evidence: b64(gzipSync(json({ quote: a, data: { outblob: b } }))) }, /tdx, and snp in data;/],
    [{ quote: a, data: { svn: '1', report_data: 'AA==' } }, /evidence: tdx, and sample in data;/],
    [{ quote: a, data: [a, c] }, /evidence: tdx, and sgx in data;/],
    [{ quote: a, data: ['x', c] }, /evidence: tdx, and sgx in data;/],
    [{ quote: a, data: { td_quote: a, report: b } }, /evidence: tdx, and snp in report;/],
    [{ quote: a, evidence: Array.from(snp.report) }, /evidence: snp, and tdx in quote;/],
  ]
  for (const [value, wanted] of pairs) {
    const { hint } = refuses('evidence-malformed', json(value), wanted)
    assert.match(hint ?? '', /cut one of them out/)
  }
})

test('the same evidence twice, or what is none beside it, is one piece of evidence', () => {
  const quote = b64(tdx)
  for (const others of [
    { raw_quote: tdx.toString('hex'), data: { quote: `0x${tdx.toString('hex')}` } },
    { report: 'see the annex', token: 'a.b.c', result: 'ok', data: [1, 2, 3], attestation: {} },
    { data: b64(tdx.subarray(0, 300)), report: [], result: null },
  ]) {
    assert.deepEqual(recognise(json({ quote, ...others })), parse(tdx))
  }
  const report = recognise(json({ report: b64(snp.report), result: snp.report.toString('hex') }))
  assert.deepEqual(report, parse(snp.report))
})

test('what is packed beside the evidence is unpacked up to a limit, and beyond it nothing is believed', () => {
  const packed = b64(gzipSync(utf8(' '.repeat(3 * 1024 * 1024))))
  const names = ['report', 'data', 'token', 'result', 'attestation', 'raw_quote']
  const document = (count: number) =>
    json({ quote: b64(tdx), ...Object.fromEntries(names.slice(0, count).map(name => [name, packed])) })
  assert.deepEqual(recognise(document(2)), parse(tdx))
  refuses('evidence-malformed', document(6), /more stands beside the evidence than can be looked through/)
  let nested: unknown = { quote: b64(tdx) }
  for (let depth = 0; depth < 9; depth++)
    nested = { evidence: nested, data: 1, token: 1, report: 1, result: 1 }
  refuses('evidence-malformed', json(nested), /can be looked through/)
})

test('evidence in any order of wrappers is what it was', () => {
  const steps: readonly ((bytes: Uint8Array) => Uint8Array)[] = [
    bytes => gzipSync(bytes),
    bytes => utf8(b64(bytes)),
    bytes => utf8(Buffer.from(bytes).toString('hex')),
    bytes => utf8(xxd(bytes)),
    bytes => json({ quote: b64(bytes), event_log: '[]' }),
    bytes => json({ evidence: Buffer.from(bytes).toString('hex') }),
    bytes => json([b64url(bytes)]),
    bytes => utf8(pemOf(bytes, 'QUOTE')),
  ]
  fc.assert(
    fc.property(
      fc.constantFrom('sgx', 'tdx', 'snp'),
      fc.array(fc.constantFrom(...steps), { maxLength: 3 }),
      (kind, path) => {
        const bytes = { sgx, tdx, snp: snp.report }[kind]
        const wrapped = path.reduce<Uint8Array>((inner, step) => step(inner), bytes)
        assert.deepEqual(recognise(wrapped), parse(bytes))
      },
    ),
    { numRuns: isLong ? 500 : 40 },
  )
})

test('captured requests and answers give the evidence that was cut out of them', { skip }, () => {
  const read = (path: string): Buffer => readFileSync(resolve(VECTORS, path))
  const dstack = recognise(read('other-bundles/dstack-sev-snp-attestation/sev-snp-attestation.json'))
  assert.deepEqual(
    { ...dstack, certificates: null },
    { ...parse(read('snp/dstack-sev-snp-attestation/report.bin')), certificates: null },
  )
  assert.ok(dersOf(dstack).includes(read('snp/dstack-sev-snp-attestation/vcek.der').toString('hex')))
  const azure = recognise(read('maa/azsamples-jwks-and-cert-samples/post.attest.body.json'))
  assert.equal(azure.kind, 'sgx')
})
