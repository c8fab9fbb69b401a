// The DER, certificate and CRL readers, against Node's (OpenSSL's) reader of the same bytes, and against what DER forbids.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { before, test } from 'node:test'
import { createAmdPlatform, createIntelPlatform } from '@casemate/simulator'
import * as fc from 'fast-check'
import { concat, decodeUtf8, toHex } from '../src/bytes.ts'
import { parseCrl } from '../src/crl.ts'
import { DerReader, TAG } from '../src/der.ts'
import { derFromP1363, MAX_DER_BYTES, p1363FromDer } from '../src/ecdsa.ts'
import { parseIntelQuote } from '../src/intel/quote.ts'
import { importKey } from '../src/node/crypto.ts'
import { readEndorsements } from '../src/read-endorsements.ts'
import { Refusal } from '../src/refusal.ts'
import { type Certificate, parseCertificate, readPem } from '../src/x509.ts'
import { intelCertificates, listVectorFiles, readVectorFile, skipVectors } from './intel/vectors.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
let samples: readonly Uint8Array[] = []
let crl: Uint8Array

before(async () => {
  const intel = await createIntelPlatform({ now: NOW })
  const amd = await createAmdPlatform({ now: NOW, modulusBits: 2048 })
  const quote = parseIntelQuote(intel.sgxQuote({ reportData: new Uint8Array(64) }))
  const pck = readPem(decodeUtf8(quote.certificationData) ?? '').map(({ der }) => der)
  const others = readEndorsements([...intel.endorsements, ...amd.endorsements])
  samples = [...pck, ...others.certificates.map(({ der }) => der)]
  crl = others.crls[0]?.der ?? new Uint8Array()
})

/** OpenSSL's view of the same certificate. */
function assertSameAsNode(mine: Certificate): void {
  const node = new X509Certificate(mine.der)
  assert.equal(BigInt(`0x${mine.serial}`), BigInt(`0x${node.serialNumber}`))
  assert.equal(mine.notBefore, node.validFromDate.getTime())
  assert.equal(mine.notAfter, node.validToDate.getTime())
  assert.deepEqual(Buffer.from(mine.spki), node.publicKey.export({ type: 'spki', format: 'der' }))
  assert.equal(mine.basicConstraints?.ca ?? false, node.ca)
  assert.ok(node.subject.split('\n').includes(`CN=${mine.commonName}`), node.subject)
  assert.equal(mine.issuer === mine.subject, node.issuer === node.subject)
}

test('certificates of simulated platforms read as OpenSSL reads them', () => {
  assert.ok(samples.length >= 6)
  for (const der of samples) assertSameAsNode(parseCertificate(der))
})

test('certificates of real platforms read as OpenSSL reads them', t => {
  if (skipVectors !== false) return t.skip(skipVectors)
  const chains = ['sgx', 'tdx'].flatMap(kind =>
    listVectorFiles(kind)
      .map(name => readQuotePem(kind, name))
      .flatMap(text => readPem(text)),
  )
  const amd = listVectorFiles('roots/amd').filter(file => file.endsWith('.der'))
  const all = [
    ...chains.map(({ der }) => parseCertificate(der)),
    ...readEndorsements(intelCertificates()).certificates,
    ...amd.map(file => parseCertificate(readVectorFile('roots/amd', file))),
  ]
  assert.ok(all.length > 90, `${all.length}`)
  for (const certificate of all) assertSameAsNode(certificate)
})

function readQuotePem(kind: string, name: string): string {
  if (!listVectorFiles(kind, name).includes('quote.bin')) return ''
  const text = Buffer.from(readVectorFile(kind, name, 'quote.bin')).toString('latin1')
  const start = text.indexOf('-----BEGIN CERTIFICATE-----')
  const end = text.lastIndexOf('-----END CERTIFICATE-----')
  return start < 0 ? '' : text.slice(start, end + 25)
}

test('whatever a change of some bytes makes of a certificate, it is refused or read as OpenSSL reads it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
      async (which, changes) => {
        const der = Uint8Array.from(samples[which % samples.length] ?? [])
        for (const [at, value] of changes) der[at % der.length] = value
        const mine = parsedOrRefused(() => parseCertificate(der))
        if (mine) await assertNoLaxerThanNode(mine)
      },
    ),
    { numRuns: 2000 },
  )
})

/** The subject's key is not looked into before it is used: what OpenSSL misses there, importing it must miss. */
async function assertNoLaxerThanNode(mine: Certificate): Promise<void> {
  const node = nodeCertificate(mine.der)
  if (!node) {
    assert.equal(await importKey(mine.spki, mine.signatureAlgorithm), null)
    return
  }
  assert.equal(BigInt(`0x${mine.serial}`), BigInt(`0x${node.serialNumber}`))
  assert.equal(mine.notBefore, node.validFromDate.getTime())
  assert.equal(mine.notAfter, node.validToDate.getTime())
}

function nodeCertificate(der: Uint8Array): X509Certificate | null {
  try {
    return new X509Certificate(der)
  } catch {
    return null
  }
}

test('a truncated or padded certificate or list is refused', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (which, size) => {
      const der = samples[which % samples.length] ?? new Uint8Array()
      assert.throws(() => parseCertificate(der.subarray(0, size % der.length)), Refusal)
      assert.throws(() => parseCertificate(concat(der, new Uint8Array(1 + (size % 9)))), Refusal)
      assert.throws(() => parseCrl(crl.subarray(0, size % crl.length)), Refusal)
    }),
    { numRuns: 300 },
  )
})

test('arbitrary bytes are refused by both readers with a Refusal and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
      assert.throws(() => parseCertificate(bytes), Refusal)
      assert.throws(() => parseCrl(bytes), Refusal)
    }),
    { numRuns: 500 },
  )
})

function parsedOrRefused<T>(work: () => T): T | null {
  try {
    return work()
  } catch (error) {
    if (error instanceof Refusal) return null
    throw error
  }
}

const read = (hex: string): DerReader =>
  new DerReader(Uint8Array.from(Buffer.from(hex, 'hex')), 'certificate-malformed', 'test')

/** 2.5.4 */
const X520 = Uint8Array.of(0x55, 0x04)

const FORBIDDEN: readonly (readonly [string, string, (reader: DerReader) => unknown])[] = [
  ['an indefinite length', '3080020101', it => it.next()],
  ['a length that fits in fewer octets', '30810302 0101'.replaceAll(' ', ''), it => it.next()],
  ['a long length with a leading zero', `30820080${'00'.repeat(128)}`, it => it.next()],
  ['a length of five octets', '3085000000000100', it => it.next()],
  ['a length beyond the end', '300402', it => it.next()],
  ['a high tag number', '1f8101', it => it.next()],
  ['an empty INTEGER', '0200', it => it.unsigned()],
  ['a negative INTEGER', '0201ff', it => it.unsigned()],
  ['an INTEGER with a needless zero', '02020001', it => it.unsigned()],
  ['a number beyond 31 bits', '02050080000000', it => it.small()],
  ['a number of five octets', '02050100000000', it => it.small()],
  ['a BOOLEAN that is neither 00 nor ff', '010101', it => it.boolean()],
  ['an empty BIT STRING before a zero', '03000000', it => it.bitOctets()],
  ['a BIT STRING with unused bits', '0302048f', it => it.bitOctets()],
  ['an OBJECT IDENTIFIER that stops in an arc', '060255 84'.replaceAll(' ', ''), it => it.oid()],
  ['an OBJECT IDENTIFIER with a needless octet', '0603558004', it => it.oid()],
  ['a UTCTime without seconds', '170b3236313132323132303 05a'.replaceAll(' ', ''), it => it.time()],
  ['a UTCTime with an offset', '17113236313132323132303030302b30303030', it => it.time()],
  ['30 February', `170d${Buffer.from('260230120000Z').toString('hex')}`, it => it.time()],
  ['31 April', `170d${Buffer.from('260431120000Z').toString('hex')}`, it => it.time()],
  [
    '29 February of a year that has none',
    `170d${Buffer.from('250229120000Z').toString('hex')}`,
    it => it.time(),
  ],
  ['an OBJECT IDENTIFIER below none that stops in an arc', '0603550484', it => it.arcBelow(X520)],
  [
    'an OBJECT IDENTIFIER below none with a needless octet',
    '0604550480 04'.replaceAll(' ', ''),
    it => it.arcBelow(X520),
  ],
  ['month 13', `170d${Buffer.from('261301120000Z').toString('hex')}`, it => it.time()],
  ['hour 24', `170d${Buffer.from('260101240000Z').toString('hex')}`, it => it.time()],
  ['fractions of a second', `1811${Buffer.from('20260101000000.5Z').toString('hex')}`, it => it.time()],
]

for (const [what, hex, use] of FORBIDDEN) {
  test(`DER with ${what} is refused`, () => {
    assert.throws(() => use(read(hex)), { code: 'certificate-malformed' })
  })
}

test('DER that is allowed at the edges of what is refused is read', () => {
  assert.equal(toHex(read('020200ff').unsigned()), 'ff')
  assert.equal(read('020100').small(), 0)
  assert.equal(read('02047fffffff').small(), 0x7fff_ffff)
  assert.equal(read(`308180${'00'.repeat(128)}`).next().contents.length, 128)
  assert.equal(read('06092a864886f70d01010a').oid(), '1.2.840.113549.1.1.10')
  assert.equal(read('06032a0304').oid(), '1.2.3.4')
  assert.equal(read('0603883703').oid(), '2.999.3')
  assert.equal(
    read(`170d${Buffer.from('491231235959Z').toString('hex')}`).time(),
    Date.parse('2049-12-31T23:59:59Z'),
  )
  assert.equal(
    read(`170d${Buffer.from('500101000000Z').toString('hex')}`).time(),
    Date.parse('1950-01-01T00:00:00Z'),
  )
  assert.equal(
    read(`180f${Buffer.from('20240229000000Z').toString('hex')}`).time(),
    Date.parse('2024-02-29T00:00:00Z'),
  )
  assert.equal(read('3000').enter(TAG.sequence).atEnd, true)
})

test('the number below an object identifier is that of no other', () => {
  assert.equal(read('0603550403').arcBelow(X520), 3)
  for (const other of ['0603551d03', '0604550481 00', '060455040301', '06025504', '06032a0304']) {
    const reader = read(`${other.replaceAll(' ', '')}0500`)
    assert.equal(reader.arcBelow(X520), null, other)
    assert.equal(reader.peek(), TAG.null)
  }
})

test('the two forms of an ECDSA signature are each other’s inverse', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), signature => {
      const der = derFromP1363(signature)
      assert.ok(der)
      assert.equal(toHex(p1363FromDer(der, 32) ?? new Uint8Array()), toHex(signature))
      // Where it is written may have been written to before.
      const used = new Uint8Array(MAX_DER_BYTES).fill(0xff)
      assert.deepEqual(derFromP1363(signature, used), der)
    }),
  )
  assert.equal(derFromP1363(new Uint8Array(63)), null)
  assert.equal(p1363FromDer(new Uint8Array([0x30, 0x06, 2, 1, 1, 2, 1]), 32), null)
})
