// The shape of quotes: each length, number and reserved field, alone. Changed after signing: parsing comes first.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { concat } from '../../src/bytes.ts'
import { parse } from '../../src/parse.ts'
import type { RefusalCode } from '../../src/refusal.ts'

const REPORT_DATA = new Uint8Array(64)
const SGX_SECTION = 48 + 384
const TDX_SECTION = 48 + 584
const V5_SECTION = 48 + 6 + 648
/** From the section's length field to certification data of version 4: signature, key, type, size. */
const OUTER_TYPE = 4 + 64 + 64

let platform: IntelPlatform
let sgx: Uint8Array
let tdx: Uint8Array
let v5: Uint8Array

before(async () => {
  platform = await createIntelPlatform({ now: new Date('2026-11-22T12:00:00Z') })
  sgx = platform.sgxQuote({ reportData: REPORT_DATA })
  tdx = platform.tdxQuote({ reportData: REPORT_DATA })
  v5 = platform.tdxQuote({ reportData: REPORT_DATA, format: 'v5-1.5' })
})

type Which = 'sgx' | 'tdx' | 'v5'
const quoteOf = (which: Which): Uint8Array => Uint8Array.from({ sgx, tdx, v5 }[which])

test('every format is parsed as what it is', () => {
  const [a, b, c] = [parse(sgx), parse(tdx), parse(v5)]
  assert.deepEqual([a.kind, b.kind, c.kind], ['sgx', 'tdx', 'tdx'])
  assert.ok(a.kind === 'sgx' && b.kind === 'tdx' && c.kind === 'tdx')
  assert.deepEqual([a.version, b.version, c.version], [3, 4, 5])
  assert.deepEqual([b.body.bodyVersion, c.body.bodyVersion], ['1.0', '1.5'])
  assert.deepEqual([a.trailingBytes, a.certificationType], [0, 5])
})

test('bytes behind a quote are counted and are no part of it', () => {
  const parsed = parse(concat(tdx, new Uint8Array(70)))
  assert.ok(parsed.kind === 'tdx')
  assert.equal(parsed.trailingBytes, 70)
})

test('what is parsed does not change when the caller’s bytes do', () => {
  const bytes = quoteOf('tdx')
  const parsed = parse(bytes)
  assert.ok(parsed.kind === 'tdx')
  const before = Buffer.from(parsed.signed).toString('hex')
  bytes.fill(0xff)
  assert.equal(Buffer.from(parsed.signed).toString('hex'), before)
})

/** A 16-bit number at an offset, little-endian. */
const u16 = (offset: number, value: number) => (bytes: Uint8Array) => {
  new DataView(bytes.buffer).setUint16(offset, value, true)
}
const u32 = (offset: number, value: number) => (bytes: Uint8Array) => {
  new DataView(bytes.buffer).setUint32(offset, value, true)
}
const one = (offset: number) => (bytes: Uint8Array) => {
  bytes[offset] = 1
}

const CASES: readonly (readonly [string, Which, RefusalCode, (bytes: Uint8Array) => void])[] = [
  ['version 2', 'sgx', 'evidence-unsupported', u16(0, 2)],
  ['version 6', 'tdx', 'evidence-unsupported', u16(0, 6)],
  ['an ECDSA P-384 attestation key', 'tdx', 'evidence-unsupported', u16(2, 3)],
  ['SGX in a version 4 quote', 'tdx', 'evidence-unsupported', u32(4, 0)],
  ['TDX in a version 3 quote', 'sgx', 'evidence-unsupported', u32(4, 0x81)],
  ['another QE vendor', 'tdx', 'evidence-unsupported', one(12)],
  ['an SGX body in a version 5 quote', 'v5', 'evidence-unsupported', u16(48, 1)],
  ['a body size of another type', 'v5', 'evidence-malformed', u32(50, 584)],
  ['signature data longer than the quote', 'tdx', 'evidence-malformed', u32(TDX_SECTION, 60_000)],
  ['signature data one byte longer than its parts', 'v5', 'evidence-malformed', grown(V5_SECTION)],
  [
    'certification data one byte short',
    'sgx',
    'evidence-malformed',
    shortened(SGX_SECTION + 4 + 128 + 448 + 2 + 32 + 2),
  ],
  ['no QE report where one belongs', 'tdx', 'evidence-unsupported', u16(TDX_SECTION + OUTER_TYPE, 5)],
  [
    'a QE report within a QE report',
    'tdx',
    'evidence-unsupported',
    u16(TDX_SECTION + OUTER_TYPE + 6 + 448 + 2 + 32, 6),
  ],
  [
    'certification data of type 0',
    'sgx',
    'evidence-unsupported',
    u16(SGX_SECTION + 4 + 128 + 448 + 2 + 32, 0),
  ],
  [
    'a platform manifest as certification data',
    'sgx',
    'evidence-unsupported',
    u16(SGX_SECTION + 4 + 128 + 448 + 2 + 32, 7),
  ],
  ...[20, 96, 160, 262].map(
    offset =>
      [`a reserved byte at ${offset} of the report`, 'sgx', 'evidence-malformed', one(48 + offset)] as const,
  ),
  ...[20, 96, 160, 262].map(
    offset =>
      [
        `a reserved byte at ${offset} of the QE report`,
        'tdx',
        'evidence-malformed',
        one(TDX_SECTION + OUTER_TYPE + 6 + offset),
      ] as const,
  ),
]

/** Lengthens the section by one byte that nothing in it accounts for; the quote has a byte behind it for that. */
function grown(section: number): (bytes: Uint8Array) => void {
  return bytes => {
    const view = new DataView(bytes.buffer)
    view.setUint32(section, view.getUint32(section, true) + 1, true)
  }
}

function shortened(offset: number): (bytes: Uint8Array) => void {
  return bytes => {
    const view = new DataView(bytes.buffer)
    view.setUint32(offset, view.getUint32(offset, true) - 1, true)
  }
}

for (const [what, which, code, change] of CASES) {
  test(`a quote with ${what} is refused: ${code}`, () => {
    const bytes = concat(quoteOf(which), new Uint8Array(1))
    assert.ok(parse(bytes))
    change(bytes)
    assert.throws(() => parse(bytes), { code })
  })
}

test('the inner and the outer length of certification data must agree', () => {
  const bytes = quoteOf('tdx')
  shortened(TDX_SECTION + OUTER_TYPE + 2)(bytes)
  assert.throws(() => parse(bytes), { code: 'evidence-malformed' })
})

test('a quote of more than 64 KiB is refused unread', () => {
  assert.ok(parse(concat(tdx, new Uint8Array(65_536 - tdx.length))))
  assert.throws(() => parse(concat(tdx, new Uint8Array(65_537 - tdx.length))), { code: 'evidence-malformed' })
})

test('bytes too few to tell a format are refused as malformed', () => {
  for (let size = 0; size < 8; size++) {
    assert.throws(() => parse(tdx.subarray(0, size)), { code: 'evidence-malformed' })
  }
})
