// What is remembered of strangers' certificates is bounded in bytes of memory, however its parts are made.

import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { BoundedMap } from '../src/bounded-map.ts'
import * as der from '../src/der-writer.ts'
import { qeCertificationOf } from '../src/intel/qe-certification.ts'
import type { QuoteSignatureData } from '../src/intel/quote.ts'
import { knownCertificate, memoryOf } from '../src/known-certificates.ts'
import { parseCertificate } from '../src/x509.ts'
import { encodeCertificate } from '../src/x509-writer.ts'

const OID_ECDSA_SHA256 = '1.2.840.10045.4.3.2'
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const spki = publicKey.export({ type: 'spki', format: 'der' })

/** A certificate with so many empty extensions: about 11 bytes of DER each. */
function certificateWith(extensions: number, serial: number): Uint8Array {
  return encodeCertificate(
    {
      serial: Uint8Array.of(1, serial >> 8, serial & 0xff),
      issuer: [['CN', 'a stranger']],
      subject: [['CN', 'a stranger']],
      spki,
      notBefore: new Date(0),
      notAfter: new Date(1e12),
      extensions: Array.from({ length: extensions }, (_, index) => ({
        oid: `1.${index % 39}.${index}`,
        critical: true,
        value: new Uint8Array(0),
      })),
    },
    {
      algorithm: der.sequence(der.oid(OID_ECDSA_SHA256)),
      sign: tbs => new Uint8Array(sign('sha256', tbs, privateKey)),
    },
  )
}

test('a map that is bounded by size holds no more than its capacity, whatever the sizes', () => {
  const map = new BoundedMap<number, number>(100, size => size)
  const sizes = [1, 50, 49, 7, 30, 50, 50, 2, 13, 49]
  for (let key = 0; key < 200; key++) {
    map.set(key, sizes[key % sizes.length] ?? 0)
    assert.equal(map.get(key), sizes[key % sizes.length])
    let held = 0
    for (let each = 0; each <= key; each++) if (map.get(each) !== undefined) held += map.get(each) ?? 0
    assert.ok(held <= 150, `${held}`)
  }
})

test('a value above half of the capacity is not kept, and takes the place of an older one with its key', () => {
  const map = new BoundedMap<string, number>(100, size => size)
  map.set('one', 10)
  map.set('one', 51)
  assert.equal(map.get('one'), undefined)
  map.set('one', 50)
  assert.equal(map.get('one'), 50)
})

test('what is deleted makes room', () => {
  const map = new BoundedMap<string, number>(100, size => size)
  map.set('kept', 10)
  for (let round = 0; round < 50; round++) {
    map.set('other', 40)
    map.delete('other')
  }
  map.set('kept too', 40)
  assert.equal(map.get('kept'), 10)
  assert.equal(map.get('kept too'), 40)
})

test('a certificate of many tiny extensions counts for what it takes in memory, not for its octets', () => {
  const plain = parseCertificate(certificateWith(3, 1))
  const hostile = parseCertificate(certificateWith(350, 2))
  assert.ok(memoryOf(plain) < 8 * 1024, `${memoryOf(plain)}`)
  assert.ok(memoryOf(hostile) > 10 * hostile.der.length, `${memoryOf(hostile)}`)
})

test('strangers’ certificates push each other out, long before there are as many as entries would allow', () => {
  const first = knownCertificate(certificateWith(1200, 0))
  assert.equal(knownCertificate(first.der), first)
  const rounds = Math.ceil((24 * 1024 * 1024) / memoryOf(first)) + 2
  for (let serial = 1; serial <= rounds; serial++) knownCertificate(certificateWith(1200, serial))
  assert.ok(rounds < 200, `${rounds}`)
  assert.notEqual(knownCertificate(first.der), first)
})

/** Of a stranger who makes it up: it takes little to send, and most of its memory is the objects that it becomes. */
function madeUp(seed: number): QuoteSignatureData {
  const qeReportSignature = new Uint8Array(64)
  new DataView(qeReportSignature.buffer).setUint32(2, seed)
  return {
    signature: new Uint8Array(64),
    attestationKey: new Uint8Array(64),
    qeReport: { bytes: new Uint8Array(384) } as QuoteSignatureData['qeReport'],
    qeReportSignature,
    qeAuthenticationData: new Uint8Array(0),
    certificationType: 1,
    certificationData: new Uint8Array(0),
  }
}

test('strangers’ machines without a certificate push each other out before they take what is said', async () => {
  const first = await qeCertificationOf(madeUp(0))
  assert.equal(await qeCertificationOf(madeUp(0)), first)
  // With what is remembered of its signature, each was measured to take some 3 KiB, and those of a fleet 4.
  const most = (48 * 1024 * 1024) / 4096
  for (let seed = 1; seed <= most; seed++) await qeCertificationOf(madeUp(seed))
  assert.notEqual(await qeCertificationOf(madeUp(0)), first)
})
