// Evidence in the three forms of Google's messages, as their own libraries write them: simulated evidence that
// go-tdx-guest 0.3.1 and go-sev-guest 0.15.0 (QuoteV5: protobuf for Python 6) turned into wire, text and JSON.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { parse } from '../../src/parse.ts'
import { recognise } from '../../src/recognise.ts'
import { Refusal } from '../../src/refusal.ts'

interface Sample {
  readonly name: string
  /** Base64, as all of the forms. */
  readonly binary: string
  readonly forms: Readonly<Record<string, string>>
}

const SAMPLES: readonly Sample[] = JSON.parse(
  gunzipSync(readFileSync(new URL('./protobuf-forms.json.gz', import.meta.url))).toString(),
)
const decoded = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'))
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (name: string, form: string): string => {
  const sample = SAMPLES.find(it => it.name === name)
  assert.ok(sample?.forms[form] !== undefined)
  return Buffer.from(sample.forms[form], 'base64').toString()
}

for (const { name, binary, forms } of SAMPLES) {
  test(`${name} gives the same evidence in every form as the bytes that it was made of`, () => {
    const expected = parse(decoded(binary))
    assert.deepEqual(Object.keys(forms), ['wire', 'text', 'textInOneLine', 'json', 'jsonWithProtoNames'])
    for (const [form, base64] of Object.entries(forms)) {
      const evidence = recognise(decoded(base64))
      assert.equal(evidence.kind, expected.kind, form)
      assert.deepEqual(withoutCertificates(evidence), withoutCertificates(expected), form)
      assert.deepEqual(certificatesOf(evidence), certificatesOf(expected), form)
    }
  })
}

function withoutCertificates(evidence: ReturnType<typeof parse>): unknown {
  return { ...evidence, certificates: null }
}

/** Whatever their order and their type: these are read off the certificate. */
function certificatesOf(evidence: ReturnType<typeof parse>): unknown {
  if (evidence.kind !== 'snp') return null
  return evidence.certificates.map(({ bytes }) => Buffer.from(bytes).toString('hex')).toSorted()
}

function refuses(bytes: Uint8Array, message: RegExp): void {
  assert.throws(
    () => recognise(bytes),
    error => {
      assert.ok(error instanceof Refusal, String(error))
      assert.equal(error.code, 'evidence-malformed')
      assert.match(`${error.message} ${error.got}`, message)
      return true
    },
  )
}

test('comments, single quotes, angle brackets, lists and unknown fields are read in text', () => {
  const text = textOf('go-tdx-guest QuoteV4', 'text')
  const expected = recognise(utf8(text))
  const rewritten = text
    .replace('header:', '# proto-message: tdx.QuoteV4\nheader')
    .replace('signed_data:', 'novel: { a: [1, 2] b: WORD c: "x" "y" d < e: -1 > }\nsigned_data:')
    .replace(/user_data:\s*"([^"]*)"/, "user_data: '$1'")
    .replace(/qe_svn:\s*"\\x00\\x00"/, 'qe_svn: "\\0" \'\\000\';')
  assert.notEqual(rewritten, text)
  assert.deepEqual(recognise(utf8(rewritten)), expected)
})

test('a certificate that is written as empty is none', () => {
  const text = textOf('go-sev-guest Attestation, Milan', 'text')
  const empty = text.replace('vcek_cert:', 'vlek_cert: "" vcek_cert:')
  assert.notEqual(empty, text)
  assert.deepEqual(recognise(utf8(empty)), recognise(utf8(text)))
})

test('a field of another size is named with its path, in every form', () => {
  const json = JSON.parse(textOf('go-tdx-guest QuoteV4', 'json'))
  json.tdQuoteBody.mrTd = 'AAAA'
  refuses(utf8(JSON.stringify(json)), /td_quote_body\.mr_td is damaged: 3 bytes, want 48 bytes/)
  const text = textOf('go-tdx-guest QuoteV4', 'textInOneLine')
  refuses(utf8(text.replace(/mr_td:"/, 'mr_td:"x')), /td_quote_body\.mr_td is damaged: 49 bytes/)
  const report = JSON.parse(textOf('go-sev-guest Report, Milan', 'json'))
  refuses(utf8(JSON.stringify({ ...report, currentTcb: '18446744073709551616' })), /current_tcb is damaged/)
  delete report.signature
  refuses(utf8(JSON.stringify({ report })), /report\.signature is damaged: 0 bytes, want 512 bytes/)
  const described = JSON.parse(textOf('go-tdx-guest QuoteV5', 'json'))
  described.tdQuoteBodyDescriptor.tdQuoteBodyType = 4
  refuses(utf8(JSON.stringify(described)), /td_quote_body_type is damaged: 4, want 2 or 3/)
  json.tdQuoteBody.mrTd = json.tdQuoteBody.mrSeam
  json.tdQuoteBody.rtmrs.pop()
  refuses(utf8(JSON.stringify(json)), /rtmrs is damaged: 3 of them, want 4 of 48 bytes/)
})

test('a message that is cut is refused, and a text that nests without end is no message', () => {
  const wire = SAMPLES.map(({ forms }) => decoded(forms['wire'] ?? ''))
  for (const bytes of wire) refuses(bytes.subarray(0, -1), /no evidence|damaged/)
  refuses(utf8(textOf('go-tdx-guest QuoteV4', 'text').slice(0, -20)), /the protobuf text is damaged/)
  refuses(utf8(`header ${'{ a '.repeat(100_000)}`), /no evidence/)
  refuses(utf8(`header { user_data: ${'"" '.repeat(200_000)} }`), /no evidence/)
})

test('a text is read up to a number of fields, digits and comments', () => {
  const text = textOf('go-tdx-guest QuoteV4', 'text')
  const expected = recognise(utf8(text))
  const fields = (count: number): Uint8Array => utf8(text + 'novel: 1\n'.repeat(count))
  assert.deepEqual(recognise(fields(4_000)), expected)
  refuses(fields(4_096), /the protobuf text is damaged/)
  const digits = (count: number): Uint8Array =>
    utf8(text.replace(/version:\s*4/, `version: 0x${'0'.repeat(count)}4`))
  assert.deepEqual(recognise(digits(20)), expected)
  refuses(digits(40), /the protobuf text is damaged/)
  const comments = (count: number): Uint8Array => utf8('# \n'.repeat(count) + text)
  assert.deepEqual(recognise(comments(5_000)), expected)
  refuses(comments(5_000_000), /armour is damaged|no evidence/)
})

test('elements of lists count as fields, in text and in JSON', () => {
  const text = textOf('go-tdx-guest QuoteV4', 'text')
  const elements = (count: number): Uint8Array => utf8(`${text}novel: [0${', 0'.repeat(count - 1)}]\n`)
  assert.deepEqual(recognise(elements(4_000)), recognise(utf8(text)))
  refuses(elements(4_096), /the protobuf text is damaged/)
  const json = JSON.parse(textOf('go-tdx-guest QuoteV4', 'json'))
  const versions = (count: number): Uint8Array => {
    const version = [...Array.from({ length: count - 1 }, () => 0), 4]
    return utf8(JSON.stringify({ ...json, header: { ...json.header, version } }))
  }
  assert.equal(recognise(versions(4_096)).kind, 'tdx')
  refuses(versions(4_097), /no evidence/)
})

test('an integer in JSON has no more digits than 64 bits need', () => {
  const json = JSON.parse(textOf('go-tdx-guest QuoteV4', 'json'))
  const digits = (count: number): Uint8Array =>
    utf8(JSON.stringify({ ...json, header: { ...json.header, version: '4'.padStart(count, '0') } }))
  assert.equal(recognise(digits(20)).kind, 'tdx')
  refuses(digits(21), /no evidence/)
})

test('unknown fields are passed over in wire form only where they are well-formed', () => {
  const wire = decoded(SAMPLES[0]?.forms['wire'] ?? '')
  const withField = (...octets: readonly number[]): Uint8Array => Uint8Array.of(...wire, ...octets)
  const [largest, beyond] = [
    [...Array.from({ length: 9 }, () => 0xff), 1],
    [...Array.from({ length: 9 }, () => 0xff), 2],
  ]
  assert.deepEqual(recognise(withField(0x78, ...largest)), recognise(wire))
  // A value and a tag beyond 64 and 32 bits, and field number 0.
  for (const octets of [
    [0x78, ...beyond],
    [0x80, 0x80, 0x80, 0x80, 0x10, 0],
    [0, 0],
  ]) {
    refuses(withField(...octets), /no evidence|damaged/)
  }
})

test('nothing but a Refusal or evidence comes out of any message', () => {
  const inputs = SAMPLES.flatMap(({ forms }) => Object.values(forms).map(decoded))
  fc.assert(
    fc.property(
      fc.nat(inputs.length - 1),
      fc.array(fc.tuple(fc.nat(9_000), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.option(fc.nat(9_000)),
      (index, edits, size) => {
        const bytes = Uint8Array.from(inputs[index] ?? [])
        for (const [offset, value] of edits) if (offset < bytes.length) bytes[offset] = value
        try {
          recognise(bytes.subarray(0, size ?? bytes.length))
        } catch (error) {
          assert.ok(error instanceof Refusal, String(error))
        }
      },
    ),
    { numRuns: process.env['CASEMATE_LONG_TESTS'] === '1' ? 20_000 : 300 },
  )
})
