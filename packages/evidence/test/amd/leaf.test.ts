// What the extensions of a VCEK and a VLEK must say; each changed alone.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAmdPlatform } from '@casemate/simulator'
import { readLeaf } from '../../src/amd/leaf.ts'
import { Refusal, type RefusalCode } from '../../src/refusal.ts'
import { type Certificate, parseCertificate } from '../../src/x509.ts'
import { leavesOf, readSnpVectors, skipVectors } from './vectors.ts'

const ARC = '1.3.6.1.4.1.3704.1'
const NOW = new Date('2026-11-22T12:00:00Z')

type Options = Parameters<typeof createAmdPlatform>[0]

async function leafOf(options: Options): Promise<Certificate> {
  const platform = await createAmdPlatform({ now: NOW, modulusBits: 2048, ...options })
  const leaf = platform.endorsements.find(({ name }) => name === 'leaf.der')
  assert.ok(leaf)
  return parseCertificate(leaf.bytes)
}

const vcek = await leafOf({ product: 'Milan' })
const vlek = await leafOf({ product: 'Milan', signingKey: 'VLEK' })
const turin = await leafOf({ product: 'Turin' })

/** With one extension changed, added, or removed. */
function changed(certificate: Certificate, path: string, value: Uint8Array | null): Certificate {
  const extensions = new Map(certificate.extensions)
  if (value === null) extensions.delete(`${ARC}.${path}`)
  else extensions.set(`${ARC}.${path}`, value)
  return { ...certificate, extensions }
}

function refuses(code: RefusalCode, certificate: Certificate): void {
  assert.throws(
    () => readLeaf(certificate),
    error => {
      assert.ok(error instanceof Refusal, String(error))
      assert.equal(error.code, code, error.message)
      return true
    },
  )
}

const integer = (value: number): Uint8Array => Uint8Array.from([0x02, 0x01, value])
const ia5 = (text: string): Uint8Array => Uint8Array.from([0x16, text.length, ...Buffer.from(text, 'latin1')])

test('a VCEK, a VLEK and a VCEK of Turin are read', () => {
  assert.equal(readLeaf(vcek).hwId?.length, 64)
  assert.equal(readLeaf(vcek).cspId, null)
  assert.equal(readLeaf(vlek).hwId, null)
  assert.match(readLeaf(vlek).cspId ?? '', /^CN=/)
  assert.equal(readLeaf(turin).hwId?.length, 8)
  assert.notEqual(readLeaf(turin).tcb.fmc, null)
})

test('every extension that the product has must be there', () => {
  for (const path of ['1', '2', '3.1', '3.2', '3.3', '3.8', '4'])
    refuses('certificate-malformed', changed(vcek, path, null))
  for (const path of ['3.9', '4']) refuses('certificate-malformed', changed(turin, path, null))
  refuses('certificate-malformed', changed(vlek, '5', null))
})

test('a VCEK has no provider, and a VLEK no chip', () => {
  refuses('certificate-malformed', changed(vcek, '5', ia5('CN=cloud')))
  refuses('certificate-malformed', changed(vlek, '4', new Uint8Array(64)))
})

test('only Turin has an FMC, and no product the components 4 to 7', () => {
  refuses('certificate-malformed', changed(vcek, '3.9', integer(1)))
  for (const path of ['3.4', '3.5', '3.6', '3.7']) {
    refuses('certificate-malformed', changed(vcek, path, integer(1)))
    readLeaf(changed(vcek, path, integer(0)))
  }
})

test('a patch level is one byte', () => {
  assert.equal(readLeaf(changed(vcek, '3.8', Uint8Array.from([2, 2, 0, 255]))).tcb.microcode, 255)
  refuses('certificate-malformed', changed(vcek, '3.8', Uint8Array.from([2, 2, 1, 0])))
  refuses('certificate-malformed', changed(vcek, '3.8', Uint8Array.from([2, 1, 0x80])))
  refuses('certificate-malformed', changed(vcek, '3.8', Uint8Array.from([2, 1, 1, 0])))
})

test('a chip id has the size of its product', () => {
  refuses('certificate-malformed', changed(vcek, '4', new Uint8Array(8)))
  refuses('certificate-malformed', changed(turin, '4', new Uint8Array(64)))
})

test('a chip id is read bare, or in a DER OCTET STRING', () => {
  for (const [certificate, size] of [
    [vcek, 64],
    [turin, 8],
  ] as const) {
    const id = Uint8Array.from({ length: size }, (_, index) => index + 1)
    const wrapped = Uint8Array.from([0x04, size, ...id])
    assert.deepEqual(readLeaf(changed(certificate, '4', wrapped)).hwId, id)
    refuses('certificate-malformed', changed(certificate, '4', Uint8Array.from([0x03, size, ...id])))
    refuses('certificate-malformed', changed(certificate, '4', Uint8Array.from([0x04, size - 1, ...id])))
    refuses('certificate-malformed', changed(certificate, '4', Uint8Array.from([...wrapped, 0])))
  }
})

test('an unknown product is unsupported, and a name that is no text malformed', () => {
  refuses('evidence-unsupported', changed(vcek, '2', ia5('Venice')))
  refuses('certificate-malformed', changed(vcek, '2', ia5('Milan\u0007')))
  refuses('certificate-malformed', changed(vcek, '2', Uint8Array.from([0x0c, 0x01, 0x41])))
})

test('a certificate of another subject is no leaf', () => {
  refuses('certificate-malformed', { ...vcek, commonName: 'SEV-Milan' })
})

test('an extension that nobody knows yet is let be', () => {
  readLeaf(changed(vcek, '6', integer(1)))
})

test('every captured VCEK and VLEK is read', { skip: skipVectors }, () => {
  for (const vector of readSnpVectors()) {
    for (const certificate of leavesOf(vector)) assert.equal(readLeaf(certificate).product, vector.product)
  }
})
