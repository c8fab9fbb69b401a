// No form of evidence can be made to grow without bounds, by a small input or by a large one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_RECOGNISED_BYTES, MAX_SLOW_TEXT } from '../../src/forms/layer.ts'
import { recognise } from '../../src/recognise.ts'
import { Refusal } from '../../src/refusal.ts'
import { refuses } from './expect-refusal.ts'
import { snp, tdx } from './simulated.ts'
import { b64, b64url, json, utf8, xxd } from './written.ts'

const isLong = process.env['CASEMATE_LONG_TESTS'] === '1'

test('a text that is too long to be read digit by digit is none of those forms', () => {
  const padding = '\n'.repeat(MAX_SLOW_TEXT)
  const [head = '', ...rest] = xxd(tdx).split('\n')
  refuses('evidence-malformed', utf8(head + padding + rest.join('\n')), /text that begins with "00000000: /)
  const shown = `${head}${padding}00000010: 2d2d 2d2d 2d42 4547 494e 2043 4552 5449  -----BEGIN CERTI`
  refuses('evidence-malformed', utf8(shown), /text that begins with "00000000: /)
  refuses('evidence-malformed', utf8(`04:${padding}00:02:00`), /begins with "04:/)
  refuses('evidence-malformed', utf8(`{0x04,${padding}0x00}`), /begins with "\{0x04,/)
})

test('a text of protobuf is read up to a length that no evidence has', () => {
  const padded = (length: number) => utf8(`report: { version: 3 } #${'x'.repeat(length)}`)
  refuses('evidence-malformed', padded(1000), /report\.family_id is damaged/)
  refuses('evidence-malformed', padded(MAX_SLOW_TEXT), /no evidence/)
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
