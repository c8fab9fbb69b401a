// The DER writer against OpenSSL’s (`asn1parse -genstr`), at the values where encodings change their length.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import * as der from '../src/der-writer.ts'

const opensslMissing = (): string | false =>
  spawnSync('openssl', ['version']).error === undefined ? false : 'no openssl command here'

/** The encoding of OpenSSL’s own description of a value. */
function generated(description: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'casemate-evidence-'))
  try {
    const file = join(directory, 'value.der')
    execFileSync('openssl', ['asn1parse', '-genstr', description, '-noout', '-out', file], { stdio: 'pipe' })
    return readFileSync(file).toString('hex')
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const text = (length: number) => 'a'.repeat(length)

const VALUES: readonly (readonly [string, Uint8Array])[] = [
  ...[0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 16777216].map(
    value => [`INTEGER:${value}`, der.unsigned(value)] as const,
  ),
  ['INTEGER:0x80', der.unsigned(Uint8Array.of(0, 0, 0x80))],
  ['INTEGER:0', der.unsigned(Uint8Array.of(0, 0))],
  ['ENUMERATED:1', der.enumerated(1)],
  ['BOOLEAN:TRUE', der.boolean(true)],
  ['NULL', der.nullValue()],
  ...['1.2.840.113741.1.13.1.2.17', '1.3.6.1.4.1.3704.1.3.9', '2.5.29.15', '2.16.840.1.101.3.4.2.2'].map(
    dotted => [`OID:${dotted}`, der.oid(dotted)] as const,
  ),
  ...[0, 127, 128, 255, 256, 65535, 65536].map(
    length => [`UTF8:${text(length)}`, der.utf8String(text(length))] as const,
  ),
  ['PRINTABLE:ZZ', der.printableString('ZZ')],
  ['IA5:Milan-B0', der.ia5String('Milan-B0')],
  ['FORMAT:HEX,OCT:00ff', der.octetString(Uint8Array.of(0x00, 0xff))],
  ['FORMAT:HEX,BITSTR:00ff', der.bitString(Uint8Array.of(0x00, 0xff))],
  ['FORMAT:BITLIST,BITSTR:5,6', der.bitString(Uint8Array.of(0b0000_0110), 1)],
  ['UTCTIME:261122120000Z', der.time(new Date('2026-11-22T12:00:00Z'))],
  ['UTCTIME:491231235959Z', der.time(new Date('2049-12-31T23:59:59.999Z'))],
  ['GENTIME:20500101000000Z', der.time(new Date('2050-01-01T00:00:00Z'))],
  ['EXPLICIT:3,INTEGER:2', der.explicit(3, der.unsigned(2))],
  ['IMPLICIT:6,IA5:https', der.implicit(6, Buffer.from('https'))],
]

describe('the DER writer', { skip: opensslMissing() }, () => {
  test('encodes every type as OpenSSL does', () => {
    for (const [description, encoding] of VALUES) {
      assert.equal(Buffer.from(encoding).toString('hex'), generated(description), description.slice(0, 40))
    }
  })
})
