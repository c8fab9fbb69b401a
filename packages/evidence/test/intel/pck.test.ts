// The PCK certificate of an Intel quote: its chain, in whatever form the quote carries it, and its revocation.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIntelPlatform } from '@casemate/simulator'
import { concat, encodeUtf8, toBase64 } from '../../src/bytes.ts'
import { DerReader, TAG } from '../../src/der.ts'
import { parse, readEndorsements, type Verified, verify } from '../../src/index.ts'
import { readPem } from '../../src/x509.ts'
import { refusal } from '../expect-refusal.ts'
import { element, privateKey, readParts, reissue } from '../reissue.ts'
import { accepted, certificate, crl, later, NOW, plain, REPORT_DATA, refused } from './isolated.ts'

accepted({
  'an SGX quote with its certificates in DER': { sgx: { chainForm: 'der' } },
  'a TDX quote with its certificates in DER, in another order': {
    tdx: { chainForm: 'der', chain: ['root', 'pck', 'intermediate'] },
  },
  'a PCK of the Processor CA': { options: { pckCa: 'processor' } },
  'a chain in another order': { tdx: { chain: ['root', 'pck', 'intermediate'] } },
  'a chain without its root': { tdx: { chain: ['pck', 'intermediate'] } },
  'a PCK alone whose authorities are among the endorsements': { tdx: { chain: ['pck'] } },
  'a chain with an unneeded certificate of the same root': {
    tdx: { chain: ['pck', 'intermediate', 'root', 'tcbSigning'] },
  },
  'the last moment of a PCK certificate': certificate('pck', { notAfter: NOW }),
  'the last moment of a revocation list': crl('pck', { nextUpdate: NOW }),
})

refused('chain-untrusted', null, { 'a chain to a root that is not pinned': { anchors: [] } })
refused('chain-incomplete', null, {
  'a PCK whose authorities are nowhere': { tdx: { chain: ['pck'] }, without: ['pck-crl-issuer-chain.pem'] },
})
refused('evidence-malformed', null, {
  'a quote without a PCK certificate': { tdx: { chain: ['intermediate', 'root'] } },
  'a quote with two PCK certificates': { tdx: { chain: ['pck', 'pck', 'intermediate', 'root'] } },
})
refused('certificate-malformed', null, {
  'a PCK certificate with an element too many': certificate('pck', { damage: 'encoding' }),
})
refused('certificate-signature-invalid', null, {
  'a PCK certificate with another signature': certificate('pck', { damage: 'signature' }),
  'an authority with another signature': certificate('intermediate', { damage: 'signature' }),
  'a root with another signature': certificate('root', { damage: 'signature' }),
})
refused('certificate-expired', null, {
  'a PCK certificate that expired': certificate('pck', { notAfter: later(-0.5) }),
  'an authority that expired': certificate('intermediate', { notAfter: later(-0.5) }),
  'a root that expired': certificate('root', { notAfter: later(-0.5) }),
})
refused('certificate-not-yet-valid', null, {
  'a PCK certificate that has not begun': certificate('pck', { notBefore: later(1) }),
  'an authority that has not begun': certificate('intermediate', { notBefore: later(1) }),
  'a root that has not begun': certificate('root', { notBefore: later(1) }),
})
refused('certificate-usage-invalid', null, {
  'a PCK issued by what is no authority': certificate('intermediate', { constraints: 'leaf' }),
})

refused('crl-missing', 'quote-signature', {
  'a PCK whose authority’s list is missing': { without: ['pck-crl.der'] },
  'an authority whose root’s list is missing': { without: ['root-ca-crl.der'] },
})
refused('crl-signature-invalid', 'quote-signature', {
  'a PCK list with another signature': crl('pck', { damage: 'signature' }),
  'a root list with another signature': crl('root', { damage: 'signature' }),
})
refused('crl-expired', 'quote-signature', {
  'a PCK list that expired': crl('pck', { nextUpdate: later(-0.5) }),
  'a root list that expired': crl('root', { nextUpdate: later(-0.5) }),
})
refused('crl-not-yet-valid', 'quote-signature', {
  'a PCK list of tomorrow': crl('pck', { thisUpdate: later(1) }),
  'a root list of tomorrow': crl('root', { thisUpdate: later(1) }),
})
refused('certificate-revoked', 'quote-signature', {
  'a revoked PCK': { options: { faults: { revoked: ['pck'] } } },
  'a PCK of a revoked authority': { options: { faults: { revoked: ['intermediate'] } } },
  'a revoked root': { options: { faults: { revoked: ['root'] } } },
})

/** A quote whose PCK certificate was changed and signed again by its authority. */
async function verifyWithPck(change: (pck: Uint8Array) => Uint8Array): Promise<Verified> {
  const quote = plain.tdxQuote({ reportData: REPORT_DATA, chain: ['pck'] })
  const parsed = parse(quote)
  assert.ok(parsed.kind === 'tdx')
  const [pck] = readPem(new TextDecoder().decode(parsed.certificationData))
  assert.ok(pck)
  const pem = `-----BEGIN CERTIFICATE-----\n${toBase64(change(pck.der))}\n-----END CERTIFICATE-----\n`
  return verify({ ...parsed, certificationData: encodeUtf8(pem) }, readEndorsements(plain.endorsements), {
    now: NOW,
    anchors: plain.anchors,
    minTcbEvaluationDataNumber: 'any',
  })
}

test('a PCK certificate is one by name and by extension', async () => {
  const key = privateKey(plain.toJSON().keys.intermediate)
  await verifyWithPck(pck => reissue(pck, key))
  const renamed = await refusal(
    verifyWithPck(pck => {
      const { subject } = readParts(pck)
      const other = Buffer.from(
        Buffer.from(subject).toString('latin1').replace('SGX PCK Cert', 'SGX Any Cert'),
        'latin1',
      )
      return reissue(pck, key, { subject: Uint8Array.from(other) })
    }),
  )
  assert.equal(renamed.code, 'certificate-usage-invalid')
  const unextended = await refusal(
    verifyWithPck(pck => {
      const bytes = Buffer.from(readParts(pck).extensions)
      // Another object identifier in place of that of the SGX extension.
      bytes[bytes.indexOf(Buffer.from('2a864886f84d010d01', 'hex')) + 8] = 2
      return reissue(pck, key, { extensions: Uint8Array.from(bytes) })
    }),
  )
  assert.equal(unextended.code, 'evidence-malformed')
})

test('an unknown critical extension is refused', async () => {
  const key = privateKey(plain.toJSON().keys.intermediate)
  const critical = element(
    0x30,
    element(0x06, new Uint8Array([0x2a, 3])),
    new Uint8Array([1, 1, 0xff]),
    element(4),
  )
  const found = await refusal(
    verifyWithPck(pck => {
      const extensions = readParts(pck).extensions.subarray(4)
      return reissue(pck, key, { extensions: element(0x30, extensions, critical) })
    }),
  )
  assert.equal(found.code, 'certificate-usage-invalid', found.message)
  assert.match(found.message, /1\.2\.3/)
})

test('a certificate in the quote that none of its authorities signed is refused', async () => {
  const other = await createIntelPlatform({ now: NOW })
  const foreign = parse(other.tdxQuote({ reportData: REPORT_DATA, chain: ['root'] }))
  const own = parse(plain.tdxQuote({ reportData: REPORT_DATA }))
  assert.ok(own.kind === 'tdx' && foreign.kind === 'tdx')
  const certificationData = concat(
    own.certificationData.filter(octet => octet !== 0),
    foreign.certificationData,
  )
  const found = await refusal(
    verify({ ...own, certificationData }, readEndorsements(plain.endorsements), {
      now: NOW,
      anchors: plain.anchors,
      minTcbEvaluationDataNumber: 'any',
    }),
  )
  assert.equal(found.code, 'certificate-signature-invalid', found.message)
})

test('a quote that names its PCK by PPID verifies with the certificate among the endorsements', async () => {
  const parsed = parse(plain.sgxQuote({ reportData: REPORT_DATA }))
  assert.ok(parsed.kind === 'sgx')
  const chain = { name: 'pck', bytes: parsed.certificationData.filter(octet => octet !== 0) }
  const byPpid = { ...parsed, certificationType: 3, certificationData: new Uint8Array(404) }
  const options = { now: NOW, anchors: plain.anchors, minTcbEvaluationDataNumber: 'any' } as const
  const { claims } = await verify(byPpid, readEndorsements([...plain.endorsements, chain]), options)
  assert.equal(claims.tcbStatus, 'UpToDate')
  const found = await refusal(verify(byPpid, readEndorsements(plain.endorsements), options))
  assert.equal(found.code, 'chain-incomplete')
})

test('certificates in DER are as many as in PEM, whole, and nothing follows them', async () => {
  const parsed = parse(plain.tdxQuote({ reportData: REPORT_DATA, chainForm: 'der' }))
  assert.ok(parsed.kind === 'tdx')
  const data = parsed.certificationData
  const verifyWith = (certificationData: Uint8Array) => {
    const options = { now: NOW, anchors: plain.anchors, minTcbEvaluationDataNumber: 'any' } as const
    return verify({ ...parsed, certificationData }, readEndorsements(plain.endorsements), options)
  }
  const codeOf = async (certificationData: Uint8Array) => (await refusal(verifyWith(certificationData))).code
  const lengthOfLast = (all: Uint8Array): number => {
    const reader = new DerReader(all, 'evidence-malformed', 'chain')
    let length = 0
    while (!reader.atEnd) length = reader.expect(TAG.sequence).raw.length
    return length
  }
  assert.equal(await codeOf(data.subarray(0, -1)), 'evidence-malformed')
  assert.equal(await codeOf(concat(data, new Uint8Array([0]))), 'evidence-malformed')
  assert.equal(await codeOf(concat(data, new Uint8Array([0x30, 0]))), 'certificate-malformed')
  // A chain with its root eight times over: nothing is wrong with it but the number.
  const root = data.subarray(-lengthOfLast(data))
  await assert.doesNotReject(verifyWith(concat(data, root, root, root, root, root)))
  assert.equal(await codeOf(concat(data, root, root, root, root, root, root)), 'evidence-malformed')
})
