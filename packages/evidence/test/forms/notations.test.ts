// Octets in every notation that people copy from and tools print, hexdumps among them, give what the octets give.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HEXDUMP } from '../../src/forms/hexdump.ts'
import { MAX_SLOW_TEXT } from '../../src/forms/layer.ts'
import { parse } from '../../src/parse.ts'
import { recognise } from '../../src/recognise.ts'
import { refuses } from './expect-refusal.ts'
import { sgx, snp, tdx } from './simulated.ts'
import { b64, pemOf, utf8, xxd } from './written.ts'

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
  // Repeated beyond the end that the last line names, octets that are none, and a line that no tool prints.
  refuses(
    'evidence-malformed',
    utf8(`${zeros}00000100  04 00 02 00  |....|\n00000008\n`),
    /hexdump is damaged/,
  )
  for (const octet of ['777', '079']) {
    refuses('evidence-malformed', utf8(`0000000 004 000 ${octet}\n0000003\n`), /hexdump is damaged/)
  }
  const long = `00000000: ${tdx.toString('hex').replaceAll(/.{4}/g, '$& ')}`
  refuses('evidence-malformed', utf8(long), /hexdump is damaged/)
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

test('binary that went through a text is said to have, for what was lost does not come back', () => {
  for (const bytes of [sgx, tdx, snp.report]) {
    const lost = utf8(new TextDecoder().decode(bytes))
    const { hint } = refuses('evidence-malformed', lost, /taken for text and written again/)
    assert.match(hint ?? '', /copy it as bytes/)
    refuses('evidence-malformed', utf8(bytes.toString('latin1')), /taken for text and written again/)
  }
})
