// Every form in which tools and services write evidence gives what its bytes give; what is known and cannot be verified
// is called by its name; and no form can be made to grow without bounds.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createAmdPlatform, createIntelPlatform } from '@casemate/simulator'
import * as fc from 'fast-check'
import { encodeCertTable } from '../../src/amd/cert-table.ts'
import { MAX_GUNZIPPED_BYTES } from '../../src/forms/gzip.ts'
import { HEXDUMP } from '../../src/forms/hexdump.ts'
import { MAX_RECOGNISED_BYTES, MAX_SLOW_TEXT } from '../../src/forms/layer.ts'
import { type ParsedEvidence, parse } from '../../src/parse.ts'
import { recognise } from '../../src/recognise.ts'
import { Refusal, type RefusalCode } from '../../src/refusal.ts'

const VECTORS = resolve(
  process.env['CASEMATE_VECTORS'] ?? resolve(import.meta.dirname, '../../../../../shared/vectors'),
)
const skip = existsSync(VECTORS) ? false : 'captured evidence is absent (CASEMATE_VECTORS)'
const isLong = process.env['CASEMATE_LONG_TESTS'] === '1'
const NOW = new Date('2026-11-22T12:00:00Z')
const REPORT_DATA = new Uint8Array(64).fill(3)

let sgx: Buffer
let tdx: Buffer
/** A report, its certificates in PEM, leaf first, and as the host’s table. */
let snp: {
  readonly report: Buffer
  readonly pem: string
  readonly table: Buffer
  readonly ders: readonly string[]
}

before(async () => {
  const intel = await createIntelPlatform({ now: NOW })
  const amd = await createAmdPlatform({ now: NOW, modulusBits: 2048 })
  sgx = Buffer.from(intel.sgxQuote({ reportData: REPORT_DATA }))
  tdx = Buffer.from(intel.tdxQuote({ reportData: REPORT_DATA }))
  const whole = Buffer.from(amd.snpReport({ reportData: REPORT_DATA, certificateTable: true }))
  const evidence = parse(whole)
  assert.ok(evidence.kind === 'snp')
  snp = {
    report: whole.subarray(0, 1184),
    table: whole.subarray(1184),
    pem: evidence.certificates.map(({ bytes }) => pemOf(bytes)).join(''),
    ders: evidence.certificates.map(({ bytes }) => Buffer.from(bytes).toString('hex')),
  }
})

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value))
const b64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')
const b64url = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64url')
const pemOf = (der: Uint8Array, label = 'CERTIFICATE'): string =>
  `-----BEGIN ${label}-----\n${(b64(der).match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`

function refuses(code: RefusalCode, bytes: Uint8Array, message: RegExp): Refusal {
  try {
    recognise(bytes)
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    assert.match(`${error.message}; got ${error.got}`, message)
    assert.equal(error.code, code)
    return error
  }
  return assert.fail(`recognised, want ${message}`)
}

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

/** What tools print of the same 71 octets: a text column with everything in it that could be mistaken, then zeros. */
const DUMPED = `0400020081000000ff617c3e20203031${'00'.repeat(48)}010203040506fe`
const DUMPS: Readonly<Record<string, string>> = {
  xxd: `00000000: 0400 0200 8100 0000 ff61 7c3e 2020 3031  .........a|>  01
00000010: 0000 0000 0000 0000 0000 0000 0000 0000  ................
00000020: 0000 0000 0000 0000 0000 0000 0000 0000  ................
00000030: 0000 0000 0000 0000 0000 0000 0000 0000  ................
00000040: 0102 0304 0506 fe                        .......
`,
  'xxd -g1 -u': `00000000: 04 00 02 00 81 00 00 00 FF 61 7C 3E 20 20 30 31  .........a|>  01
00000010: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................
00000020: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................
00000030: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................
00000040: 01 02 03 04 05 06 FE                             .......
`,
  'xxd -c 32 -g4': `00000000: 04000200 81000000 ff617c3e 20203031 00000000 00000000 00000000 00000000  .........a|>  01................
00000020: 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000  ................................
00000040: 01020304 0506fe                                                          .......
`,
  'hexdump -C': `00000000  04 00 02 00 81 00 00 00  ff 61 7c 3e 20 20 30 31  |.........a|>  01|
00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
*
00000040  01 02 03 04 05 06 fe                              |.......|
00000047
`,
  hexdump: `0000000 0004 0002 0081 0000 61ff 3e7c 2020 3130
0000010 0000 0000 0000 0000 0000 0000 0000 0000
*
0000040 0201 0403 0605 00fe                    
0000047
`,
  od: `0000000 000004 000002 000201 000000 060777 037174 020040 030460
0000020 000000 000000 000000 000000 000000 000000 000000 000000
*
0000100 001001 002003 003005 000376
0000107
`,
  'od -A x -t x1z': `000000 04 00 02 00 81 00 00 00 ff 61 7c 3e 20 20 30 31  >.........a|>  01<
000010 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  >................<
*
000040 01 02 03 04 05 06 fe                             >.......<
000047
`,
  'od -A d -t x1': `0000000 04 00 02 00 81 00 00 00 ff 61 7c 3e 20 20 30 31
0000016 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
*
0000064 01 02 03 04 05 06 fe
0000071
`,
  'od -t x4': `0000000 00020004 00000081 3e7c61ff 31302020
0000020 00000000 00000000 00000000 00000000
*
0000100 04030201 00fe0605
0000107
`,
  'od -b': `0000000 004 000 002 000 201 000 000 000 377 141 174 076 040 040 060 061
0000020 000 000 000 000 000 000 000 000 000 000 000 000 000 000 000 000
*
0000100 001 002 003 004 005 006 376
0000107
`,
}

test('what xxd, hexdump and od print gives the octets that they were given', () => {
  for (const [tool, dump] of Object.entries(DUMPS)) {
    for (const text of [dump, dump.trimEnd(), dump.replaceAll('\n', '\r\n')]) {
      const layer = HEXDUMP.open(text.trim())
      assert.ok(layer?.is === 'bytes', tool)
      assert.equal(Buffer.from(layer.bytes).toString('hex'), DUMPED, tool)
    }
  }
})

function xxd(bytes: Uint8Array): string {
  return Array.from({ length: Math.ceil(bytes.length / 16) }, (_, line) => {
    const part = Buffer.from(bytes.subarray(16 * line, 16 * line + 16))
    const groups = (part.toString('hex').match(/.{1,4}/g) ?? []).join(' ')
    const text = part.toString('latin1').replaceAll(/[^ -~]/g, '.')
    return `${(16 * line).toString(16).padStart(8, '0')}: ${groups.padEnd(39)}  ${text}\n`
  }).join('')
}

test('a hexdump with a gap, with a line of another kind, or of more than an input may be is refused', () => {
  const dump = xxd(tdx)
  assert.deepEqual(recognise(utf8(dump)), parse(tdx))
  const lines = dump.split('\n')
  refuses(
    'evidence-malformed',
    utf8(lines.toSpliced(5, 1).join('\n')),
    /hexdump is damaged.*follow each other/,
  )
  refuses('evidence-malformed', utf8(lines.toSpliced(5, 0, 'oops').join('\n')), /groups of digits/)
  const zeros = '00000000  04 00 02 00  |....|\n*\n'
  refuses('evidence-malformed', utf8(`${zeros}ffffffff\n`), /hexdump is damaged/)
  refuses('evidence-malformed', utf8(`${zeros}${(MAX_SLOW_TEXT + 12).toString(16)}\n`), /hexdump is damaged/)
  refuses('evidence-malformed', utf8(zeros), /hexdump is damaged/)
})

function digits(bytes: Buffer): Readonly<Record<string, string>> {
  const octets = bytes.toString('hex').match(/../g) ?? []
  const inRows = (items: readonly string[]): string =>
    items.map((item, index) => (index % 12 === 11 ? `${item},\n  ` : `${item}, `)).join('')
  const list = inRows(octets.map(octet => `0x${octet}`))
  return {
    '0X': `0X${bytes.toString('hex').toUpperCase()}`,
    colons: octets.join(':'),
    'openssl’s colons': octets
      .map((octet, index) => `${octet}:${index % 15 === 14 ? '\n    ' : ''}`)
      .join(''),
    spaces: octets.join(' '),
    escapes: `"\\x${octets.join('\\x')}"`,
    'Python’s escapes': `b'\\x${octets.join('\\x')}'`,
    'xxd -i': `unsigned char quote_bin[] = {\n  ${list.replace(/,\s*$/, '')}\n};\nunsigned int quote_bin_len = ${bytes.length};`,
    'C with a size': `static const uint8_t quote[${bytes.length}] = { ${list} };`,
    Go: `[]byte{${list}}`,
    JavaScript: `const quote = [${[...bytes].join(', ')}];`,
    'numbers alone': [...bytes].join(','),
    'hex numbers alone': octets.map(octet => `0x${octet}`).join(' '),
    'a JSON array': JSON.stringify([...bytes]),
    'a Buffer in JSON': JSON.stringify({ quote: bytes }),
    'a Uint8Array in JSON': JSON.stringify({ quote: new Uint8Array(bytes) }),
    'PEM armour': pemOf(bytes, 'SGX QUOTE'),
    'PEM armour with headers': pemOf(bytes, 'QUOTE').replace('-----\n', '-----\nVersion: 1\nComment: x\n\n'),
    'prose around the armour': `Here it is:\n${pemOf(bytes, 'ATTESTATION REPORT')}bye`,
    'a saved answer': `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{"quote":"${b64(bytes)}"}`,
  }
}

test('octets in every notation that people copy from give the evidence', () => {
  for (const bytes of [sgx, tdx, snp.report]) {
    for (const [name, text] of Object.entries(digits(bytes))) {
      assert.deepEqual(recognise(utf8(text)), parse(bytes), name)
    }
    assert.deepEqual(recognise(Buffer.from(`\uFEFF${bytes.toString('hex')}\r\n`, 'utf16le')), parse(bytes))
  }
})

test('digits that are damaged are told what is wrong with them', () => {
  refuses('evidence-malformed', utf8('04:00:2:00'), /the hex is damaged: 2, want two digits/)
  refuses('evidence-malformed', utf8(`0x${tdx.toString('hex')}0`), /the hex is damaged: \d+ digits/)
  refuses('evidence-malformed', utf8('{ 0x04, 0x100, 0x02 }'), /list of octets is damaged: 0x100/)
  refuses('evidence-malformed', utf8('4, 256, 2'), /list of octets is damaged: 256/)
  refuses('evidence-malformed', utf8('-----BEGIN QUOTE-----\nBAAC\n'), /PEM armour is damaged/)
})

test('a text that is too long to be read digit by digit is none of those forms', () => {
  const padding = '\n'.repeat(MAX_SLOW_TEXT)
  const [head = '', ...rest] = xxd(tdx).split('\n')
  refuses('evidence-malformed', utf8(head + padding + rest.join('\n')), /text that begins with "00000000: /)
  const shown = `${head}${padding}00000010: 2d2d 2d2d 2d42 4547 494e 2043 4552 5449  -----BEGIN CERTI`
  refuses('evidence-malformed', utf8(shown), /text that begins with "00000000: /)
  refuses('evidence-malformed', utf8(`04:${padding}00:02:00`), /begins with "04:/)
  refuses('evidence-malformed', utf8(`{0x04,${padding}0x00}`), /begins with "\{0x04,/)
})

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

test('binary that went through a text is said to have, for what was lost does not come back', () => {
  for (const bytes of [sgx, tdx, snp.report]) {
    const lost = utf8(new TextDecoder().decode(bytes))
    const { hint } = refuses('evidence-malformed', lost, /taken for text and written again/)
    assert.match(hint ?? '', /copy it as bytes/)
    refuses('evidence-malformed', utf8(bytes.toString('latin1')), /taken for text and written again/)
  }
})

test('what could be read as one piece of evidence or as another is refused', () => {
  const [a, b] = [b64(tdx), b64(snp.report)]
  refuses('evidence-malformed', utf8(`{"quote":"${a}","quote":"${b}"}`), /"?quote"? twice in one object/)
  refuses('evidence-malformed', utf8(`{"x":[{"a":1,"\\u0061":2}],"quote":"${a}"}`), /a"? twice in one object/)
  refuses('evidence-malformed', utf8(pemOf(tdx, 'QUOTE') + pemOf(snp.report, 'REPORT')), /damaged: several/)
})

test('no small input makes much of structure, of fields or of certificates', () => {
  const parsing = (text: string, message: RegExp): void => {
    const { parse: read } = JSON
    JSON.parse = () => assert.fail('it was built')
    try {
      refuses('evidence-malformed', utf8(text), message)
    } finally {
      JSON.parse = read
    }
  }
  parsing('['.repeat(65), /more in it, want arrays and objects in each other up to 64/)
  parsing(`[${'[],'.repeat(131_072)}[]]`, /want arrays, objects and members up to 131072/)
  parsing(`[${'1,'.repeat(2_097_153)}1]`, /want elements up to 2097152/)
  const fields = (count: number): Uint8Array => Buffer.from(`\n\0${'\n\0'.repeat(count)}`)
  refuses('evidence-malformed', fields(4_000), /report\.family_id is damaged/)
  refuses('evidence-unsupported', fields(5_000), /begins with version/)
  const beside = Array.from({ length: 200_000 }, () => 'x')
  refuses(
    'evidence-malformed',
    json({ outblob: b64(snp.report), auxblob: beside }),
    /certificates in auxblob/,
  )
})

test('what is no evidence is described, with the wrappers that it was in', () => {
  refuses(
    'evidence-malformed',
    json({ name: 1, 'b\u202ed': 2 }),
    /got JSON with the members name, "b\\u202ed"$/,
  )
  refuses('evidence-malformed', utf8('hello, world!'), /got text that begins with "hello, world!"$/)
  refuses(
    'evidence-malformed',
    json({ quote: b64('what is this\u001b[2J') }),
    /"what is this\\u001b\[2J", in base64 in/,
  )
  refuses(
    'evidence-malformed',
    Buffer.from('ffee'.repeat(9), 'hex'),
    /bytes that begin with ff ee ff ee ff ee ff ee$/,
  )
})

const jwt = (claims: unknown): string => `${b64url('{"alg":"RS256"}')}.${b64url(JSON.stringify(claims))}.AAAA`
const epid = (): Buffer => {
  const quote = Buffer.alloc(436 + 680)
  quote[0] = 2
  quote.writeUInt32LE(680, 432)
  return quote
}
const sev = (): Buffer => {
  const report = Buffer.alloc(208, 7)
  report.writeUInt32LE(0x1002, 52)
  report.writeUInt32LE(2, 56)
  report.writeUInt32LE(0, 60)
  return report
}
const tdReport = (): Buffer => {
  const report = Buffer.alloc(1024)
  report[0] = 0x81
  return report
}
const tar = (): Buffer => {
  const archive = Buffer.alloc(512, 'a')
  archive.write('ustar', 257)
  return archive
}

/** What is known and cannot be verified, and what has to be said about it. */
const FOREIGN: readonly (readonly [bytes: Uint8Array, name: RegExp, hint: RegExp])[] = [
  [
    utf8(jwt({ iss: 'https://portal.trustauthority.intel.com' })),
    /token of Intel Trust Authority/,
    /what another verifier made/,
  ],
  [
    json({ token: jwt({ iss: 'https://x.weu.attest.azure.net' }) }),
    /token of Microsoft Azure Attestation/,
    /give the quote/,
  ],
  [
    utf8(jwt({ iss: 'https://confidentialcomputing.googleapis.com' })),
    /Google Confidential Space/,
    /give the quote/,
  ],
  [
    utf8(jwt({ iss: 'https://nras.attestation.nvidia.com' })),
    /NVIDIA’s attestation service/,
    /give the quote/,
  ],
  [
    utf8(jwt({ submods: { cpu: { 'ear.status': 'affirming' } } })),
    /\(EAR\), such as Trustee/,
    /give the quote/,
  ],
  [
    utf8(jwt({ iss: 'https://idp.example' })),
    /a JSON Web Token of "https:\/\/idp\.example"/,
    /give the quote/,
  ],
  [
    Buffer.concat([Buffer.from('HCLA'), Buffer.alloc(99)]),
    /vTPM evidence of Azure \(an HCL report\)/,
    /Azure/,
  ],
  [
    json({ hcl_report: 'SENMQQ', tpm_quote: {}, td_quote: 'BAAC' }),
    /vTPM evidence of Azure/,
    /says nothing about the TPM/,
  ],
  [Buffer.from('8444a1013822a0591187bf', 'hex'), /AWS Nitro/, /Nitro/],
  [json({ attestation_document: b64(Buffer.from('8444a1013822a0591187bf', 'hex')) }), /AWS Nitro/, /Nitro/],
  [Buffer.from('d9018fa219acca', 'hex'), /Arm CCA token/, /CCA/],
  [Buffer.from('d28443a10126a0', 'hex'), /COSE.*PSA/, /PSA/],
  [Buffer.from('ff544347801800', 'hex'), /a TPM quote \(TPMS_ATTEST\)/, /TPM/],
  [
    json({ quote: b64(Buffer.from('0070ff5443478018', 'hex')), signature: 'AA==', pcrs: 'AA==' }),
    /a TPM quote/,
    /TPM/,
  ],
  [json({ ak_public: 'AA', tpm_quote: {} }), /evidence of a TPM/, /TPM/],
  [tdReport(), /a TDREPORT/, /have the quoting service make a quote/],
  [epid(), /an EPID quote of SGX/, /Intel has ended EPID/],
  [sev(), /SEV or SEV-ES/, /before SEV-SNP/],
  [
    Buffer.from('01000000010000000400000000000000aabbccdd', 'hex'),
    /a local report of Open Enclave/,
    /a remote one/,
  ],
  [
    json([{ arch: 'HOPPER', certificate: 'AA', evidence: 'AA', nonce: '00' }]),
    /evidence of NVIDIA GPUs/,
    /GPU/,
  ],
  [json({ attestation_report: { data: [1], magic: [2] }, serial_number: [3] }), /Hygon CSV/, /Hygon/],
  [json({ keys: [{ kty: 'RSA' }] }), /a set of keys \(JWKS\)/, /give the quote/],
  [utf8(pemOf(Buffer.from([1, 2]), 'PRIVATE KEY')), /a private key in PEM/, /a key proves nothing/],
  [utf8(pemOf(Buffer.from([1, 2]))), /a certificate in PEM, and no evidence/, /--endorsements/],
  [Buffer.from('28b52ffd00', 'hex'), /compressed with zstd/, /unpack it/],
  [Buffer.from('fd377a585a00', 'hex'), /compressed with xz/, /unpack it/],
  [Buffer.from('BZh91AY'), /compressed with bzip2/, /unpack it/],
  [Buffer.from('504b030414', 'hex'), /a ZIP archive/, /unpack it/],
  [tar(), /a tar archive/, /unpack it/],
  [gzipSync(tar()), /a tar archive/, /unpack it/],
  [Buffer.from('7f454c460201', 'hex'), /a program \(ELF\)/, /casemate enclave inspect/],
]

test('what is known and cannot be verified is called by its name, with a hint about it', () => {
  for (const [bytes, name, hint] of FOREIGN) {
    const refusal = refuses('evidence-unsupported', bytes, name)
    assert.match(refusal.hint ?? '', hint)
  }
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

test('large inputs of every shape end in a Refusal', () => {
  const size = isLong ? MAX_RECOGNISED_BYTES - 100 : 300_000
  const fill = (head: string, unit: string, tail = ''): Uint8Array =>
    utf8(head + unit.repeat(Math.floor((size - head.length - tail.length) / unit.length)) + tail)
  for (const bytes of [
    fill('', '04'),
    fill('', '04:'),
    fill('"', '\\x04', '"'),
    fill('{', '0x04, ', '}'),
    fill('[', '1,', '1]'),
    fill('[', '['),
    fill('{"quote":', '{"quote":'),
    fill('00000000: ', '04 '),
    fill('00000000: 04\n', '*\n'),
    fill('00000000  04\n', '00000001  04\n'),
    fill('header { ', 'user_data: "\\0" ', '}'),
    fill('header { user_data: "', '\\0', '" }'),
    fill('report < version: 3 ', '# \n', '>'),
    fill('', '# \n'),
    fill('#', ' \n#', 'header: {'),
    fill('\n\0', '\b\x01'),
    fill('version: ', '9'),
    fill('-----BEGIN QUOTE-----\n', 'A', '\n-----END QUOTE----'),
    fill('-----BEGIN QUOTE-----\n', 'A: \n', '\n-----END QUOTE-----'),
    fill('eyJ.', 'attestation', '.A'),
    fill(`eyJ.${b64url(JSON.stringify('attestation'.repeat(9_000)))}.`, 'A'),
    fill('\n', '\n\b', ''),
    fill('HTTP/1.1 200 OK\n', 'a: b\n'),
    fill('', 'A'),
    fill('const x = ', '[', ''),
  ]) {
    assert.throws(() => recognise(bytes), Refusal)
  }
})

/** Captured things of other kinds, and what they are called. */
const CAPTURED: readonly (readonly [folder: string, file: RegExp, name: RegExp])[] = [
  ['az-snp-vtpm', /^(?:evidence\.json|hcl-report\.bin)$/, /vTPM evidence of Azure/],
  ['az-tdx-vtpm', /^(?:evidence\.json|hcl-report\.bin)$/, /vTPM evidence of Azure/],
  ['nitro', /^doc\.cbor$/, /AWS Nitro/],
  ['cca', /^token\.cbor$/, /Arm CCA token/],
  ['psa', /\.cbor$/, /COSE/],
  ['tpm', /^(?:evidence\.json|.*quote.*\.(?:msg|bin))$/, /TPM/],
  ['ita', /^token\.jwt$/, /Intel Trust Authority/],
  ['maa', /^token\.jwt$/, /Microsoft Azure Attestation/],
  ['nras', /^token\.jwt$/, /NVIDIA/],
  ['gcp-confidential-space', /^token\.jwt$/, /Google Confidential Space/],
  ['coco-as', /^token\.jwt$/, /such as Trustee/],
  ['other-hygon-csv', /^evidence\.json$/, /Hygon CSV/],
  ['nvidia-gpu', /^(?:evidence|data)\.json$/, /NVIDIA GPUs/],
]

test('captured evidence of other kinds is called by its name', { skip }, () => {
  for (const [folder, pattern, name] of CAPTURED) {
    const files = readdirSync(resolve(VECTORS, folder)).flatMap(vector =>
      readdirSync(resolve(VECTORS, folder, vector))
        .filter(file => pattern.test(file))
        .map(file => resolve(VECTORS, folder, vector, file)),
    )
    assert.ok(files.length > 0, folder)
    for (const file of files) {
      assert.throws(() => recognise(new Uint8Array(readFileSync(file))), { message: name }, file)
    }
  }
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
