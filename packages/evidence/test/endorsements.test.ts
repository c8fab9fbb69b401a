// Endorsements are recognised by content, however they were saved. The simulator's stand in for Intel's.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createAmdPlatform, createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { encodeCertTable } from '../src/amd/cert-table.ts'
import { decodeUtf8, toBase64, toHex } from '../src/bytes.ts'
import { jsonMembers } from '../src/documents/signed-json.ts'
import { type Endorsements, mergeEndorsements, NO_ENDORSEMENTS } from '../src/endorsements.ts'
import { parse, verify } from '../src/index.ts'
import { type EndorsementSource, readEndorsements, recogniseEndorsements } from '../src/read-endorsements.ts'
import { Refusal } from '../src/refusal.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
let platform: IntelPlatform

before(async () => {
  platform = await createIntelPlatform({ now: NOW })
})

function bytesOf(name: string): Uint8Array {
  const found = platform.endorsements.find(it => it.name === name)
  assert.ok(found, name)
  return found.bytes
}

const textOf = (name: string): string => decodeUtf8(bytesOf(name)) ?? assert.fail(name)

function fromText(text: string): Endorsements {
  return readEndorsements([{ name: 'given', bytes: new TextEncoder().encode(text) }])
}

function counts(it: Endorsements): readonly number[] {
  return [
    it.certificates.length,
    it.crls.length,
    it.tcbInfos.length,
    it.enclaveIdentities.length,
    it.tcbEvaluationNumbers.length,
  ]
}

async function verifyTdx(endorsements: Endorsements): Promise<string | null> {
  const quote = platform.tdxQuote({ reportData: new Uint8Array(64) })
  const { claims } = await verify(parse(quote), endorsements, {
    now: NOW,
    anchors: platform.anchors,
    minTcbEvaluationDataNumber: 'any',
  })
  return claims.tcbStatus
}

function hexOf(items: readonly { readonly der: Uint8Array }[]): string {
  return items.map(({ der }) => toHex(der)).join()
}

/** A PEM text of the lists and chains as one. */
function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${toBase64(der).replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`
}

test('a message about an endorsement holds nothing that a terminal obeys', () => {
  const name = 'tcb\u001b[2J\u202e.json'
  const read = (text: string) => () => readEndorsements([{ name, bytes: new TextEncoder().encode(text) }])
  const signature = '00'.repeat(64)
  const hostile = JSON.stringify({ version: '\u009b31m\u202e' })
  for (const text of ['nothing', `{"tcbInfo":${hostile},"signature":"${signature}"}`]) {
    assert.throws(read(text), error => {
      assert.ok(error instanceof Refusal)
      assert.match(error.message, /^tcb\\u001b\[2J\\u202e\.json/)
      assert.doesNotMatch(`${error.message}${error.got}`, /[\p{Cc}\p{Cf}]/u)
      return true
    })
  }
})

test('DER, PEM, hex and base64 of a revocation list are the same list', () => {
  const der = bytesOf('pck-crl.der')
  const forms = [
    toHex(der),
    toHex(der).toUpperCase(),
    toBase64(der),
    pem('X509 CRL', der),
    `\n${toHex(der)}\n`,
  ]
  for (const form of forms) assert.equal(hexOf(fromText(form).crls), toHex(der))
  assert.equal(hexOf(readEndorsements([{ name: 'der', bytes: der }]).crls), toHex(der))
})

test('a chain is read from PEM with text around it, and from a percent-encoded header', () => {
  const chain = textOf('tcb-signing-chain.pem')
  const encoded = encodeURIComponent(chain)
  const forms = [
    `subject=CN = x\n${chain}\nnotes`,
    encoded,
    encoded.replaceAll('-', '%2D'),
    encoded.replaceAll('%20', '+'),
  ]
  for (const form of forms) assert.deepEqual(counts(fromText(form)), [2, 0, 0, 0, 0])
})

test('a saved answer gives its body and the chain in its header', async () => {
  const answer = (header: string, chain: string, body: string): EndorsementSource => ({
    name: header,
    bytes: new TextEncoder().encode(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${header}: ${encodeURIComponent(textOf(chain))}\r\n\r\n${body}`,
    ),
  })
  const endorsements = readEndorsements([
    answer('TCB-Info-Issuer-Chain', 'tcb-signing-chain.pem', textOf('tdx-tcb-info.json')),
    answer('SGX-Enclave-Identity-Issuer-Chain', 'tcb-signing-chain.pem', textOf('td-qe-identity.json')),
    answer('SGX-PCK-CRL-Issuer-Chain', 'pck-crl-issuer-chain.pem', toHex(bytesOf('pck-crl.der'))),
    { name: 'root', bytes: bytesOf('root-ca-crl.der') },
  ])
  // The root stands in both chains, and once in the bag.
  assert.deepEqual(counts(endorsements), [3, 2, 1, 1, 0])
  assert.equal(await verifyTdx(endorsements), 'UpToDate')
})

test('bundles of one JSON are read, with signatures inside the documents or beside them', async () => {
  const member = (name: string, key: string): string =>
    jsonMembers(textOf(name))?.get(key)?.text ?? assert.fail(name)
  const unquoted = (name: string): unknown => JSON.parse(member(name, 'signature'))
  const common = {
    pck_crl_issuer_chain: textOf('pck-crl-issuer-chain.pem'),
    root_ca_crl: toHex(bytesOf('root-ca-crl.der')),
    pck_crl: toHex(bytesOf('pck-crl.der')),
    tcb_info_issuer_chain: textOf('tcb-signing-chain.pem'),
    qe_identity_issuer_chain: textOf('tcb-signing-chain.pem'),
  }
  const beside = {
    ...common,
    tcb_info: member('tdx-tcb-info.json', 'tcbInfo'),
    tcb_info_signature: unquoted('tdx-tcb-info.json'),
    qe_identity: member('td-qe-identity.json', 'enclaveIdentity'),
    qe_identity_signature: unquoted('td-qe-identity.json'),
  }
  const inside = {
    version: 3,
    ...common,
    pck_crl: pem('X509 CRL', bytesOf('pck-crl.der')),
    tcb_info: textOf('tdx-tcb-info.json'),
    qe_identity: textOf('td-qe-identity.json'),
  }
  for (const bundle of [beside, inside, { collateral: beside }]) {
    const endorsements = fromText(JSON.stringify(bundle, null, 2))
    assert.deepEqual(counts(endorsements), [3, 2, 1, 1, 0])
    assert.equal(await verifyTdx(endorsements), 'UpToDate')
  }
})

test('white space around a signed member is no part of it', async () => {
  const text = textOf('tdx-tcb-info.json')
    .replace('{"tcbInfo":', '{ "tcbInfo" :\n\t')
    .replace(',"signature"', ' \n, "signature"')
  const others = platform.endorsements.filter(({ name }) => name !== 'tdx-tcb-info.json')
  assert.equal(await verifyTdx(mergeEndorsements(fromText(text), readEndorsements(others))), 'UpToDate')
})

test('a member that stands twice is refused, since readers differ in which one they take', () => {
  const text = textOf('tdx-tcb-info.json')
  const twice = text.replace('{"tcbInfo":', '{"tcbInfo":{},"tcbInfo":')
  assert.throws(() => fromText(twice), { code: 'endorsement-malformed' })
  assert.equal(jsonMembers(twice), null)
})

test('a member that stands twice inside of a signed document is refused, too', () => {
  const text = textOf('tdx-tcb-info.json')
  const twice = text.replace('"fmspc":', '"fmspc":"000000000000","fmspc":')
  assert.notEqual(twice, text)
  assert.throws(() => fromText(twice), { code: 'endorsement-malformed' })
})

test('JSON is not read deeper than any endorsement goes', () => {
  const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
  assert.notEqual(jsonMembers(nested(64)), null)
  assert.equal(jsonMembers(nested(65)), null)
})

test('what is no endorsement is named, and passed over where anything may lie', () => {
  for (const text of ['', 'hello', '{}', '{"a":[1]}', '[]', '{"tcbInfo":{}}', '0'.repeat(64)]) {
    const source = { name: 'notes.txt', bytes: new TextEncoder().encode(text) }
    assert.equal(recogniseEndorsements(source), null, text)
    assert.throws(() => readEndorsements([source]), { code: 'endorsement-malformed', message: /notes\.txt/ })
  }
})

test('DER that is neither certificate nor list, as signatures and keys, hides nothing that stands beside it', () => {
  const key = toHex(readEndorsements(platform.endorsements).certificates[0]?.spki ?? assert.fail())
  const [signature, list] = ['3006020101020102', toHex(bytesOf('root-ca-crl.der'))]
  for (const other of [signature, [...Buffer.from(signature, 'hex')], key, [...Buffer.from(key, 'hex')]]) {
    assert.deepEqual(counts(fromText(JSON.stringify({ other, root_ca_crl: list }))), [0, 1, 0, 0, 0])
    const alone = { name: 'alone', bytes: new TextEncoder().encode(JSON.stringify({ other })) }
    assert.equal(recogniseEndorsements(alone), null)
  }
})

test('DER with something behind it, and tables beyond any host’s, are no endorsements', () => {
  const der = bytesOf('pck-crl.der')
  const table = encodeCertTable([{ type: 'ASK', bytes: der }])
  const entry = table.subarray(0, 24)
  // An entry of a GUID that is nobody's, 32 times before one that is AMD's.
  const foreign = Buffer.concat([...Array.from({ length: 32 }, () => Buffer.alloc(24, 1)), entry])
  for (const bytes of [Buffer.concat([der, der]), Buffer.concat([table, Buffer.alloc(64 * 1024)]), foreign]) {
    assert.equal(recogniseEndorsements({ name: 'other', bytes }), null)
  }
})

test('what is an endorsement and malformed is refused with its source’s name', () => {
  const bytes = Uint8Array.from(bytesOf('pck-crl.der'))
  // The version of the list.
  const version = bytes.indexOf(0x02, 7) + 2
  bytes[version] = 7
  assert.throws(() => recogniseEndorsements({ name: 'list.der', bytes }), {
    code: 'crl-malformed',
    message: /^list\.der: /,
  })
})

test('merging keeps the first of equal items, and with it what is remembered about it', () => {
  const one = readEndorsements(platform.endorsements)
  const merged = mergeEndorsements(one, readEndorsements(platform.endorsements), NO_ENDORSEMENTS)
  assert.deepEqual(counts(merged), counts(one))
  assert.equal(merged.tcbInfos[0], one.tcbInfos[0])
})

test('documents with one signature and different texts are not taken for one', () => {
  const text = textOf('tdx-tcb-info.json')
  const other = text.replace('"tcbEvaluationDataNumber":20', '"tcbEvaluationDataNumber":99')
  assert.notEqual(other, text)
  assert.equal(mergeEndorsements(fromText(text), fromText(other)).tcbInfos.length, 2)
})

test('JSON that is nested without end is not followed', () => {
  let text = JSON.stringify({ root_ca_crl: toHex(bytesOf('root-ca-crl.der')) })
  for (let depth = 0; depth < 12; depth++) text = JSON.stringify({ inner: text })
  assert.equal(recogniseEndorsements({ name: 'deep', bytes: new TextEncoder().encode(text) }), null)
})

test('a refusal of a reader is a Refusal', () => {
  assert.throws(() => fromText('-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----'), Refusal)
})

test('configfs’s auxblob is a table of certificates, in every form, and makes a bare report verify', async () => {
  const amd = await createAmdPlatform({ now: NOW, modulusBits: 2048 })
  const whole = amd.snpReport({ reportData: new Uint8Array(64), certificateTable: true })
  const [report, auxblob] = [whole.subarray(0, 1184), Buffer.from(whole.subarray(1184))]
  const text = (value: string): Uint8Array => new TextEncoder().encode(value)
  const json = (value: unknown): Uint8Array => text(JSON.stringify(value))
  for (const bytes of [
    auxblob,
    text(auxblob.toString('hex')),
    text(`0x${auxblob.toString('hex')}`),
    text((auxblob.toString('hex').match(/../g) ?? []).join(':')),
    text(auxblob.toString('base64url')),
    json({ auxblob: auxblob.toString('base64'), outblob: '' }),
    json({ auxblob: [...auxblob] }),
    gzipSync(auxblob),
    gzipSync(json({ auxblob: auxblob.toString('base64') })),
  ]) {
    const endorsements = readEndorsements([{ name: 'auxblob', bytes }])
    const options = { now: NOW, anchors: amd.anchors, minTcbEvaluationDataNumber: 'any' } as const
    const { claims } = await verify(parse(report), endorsements, options)
    assert.equal(claims.kind, 'snp')
  }
})

test('a table holds PEM as well, and one that is cut is malformed rather than nothing', async () => {
  const amd = await createAmdPlatform({ now: NOW, modulusBits: 2048 })
  const leaf = amd.endorsements.find(({ name }) => name === 'leaf.der')?.bytes ?? assert.fail()
  const bytes = new TextEncoder().encode(pem('CERTIFICATE', leaf))
  const table = encodeCertTable([{ type: 'VCEK', bytes }])
  const { certificates } = readEndorsements([{ name: 'auxblob', bytes: table }])
  assert.deepEqual(
    certificates.map(({ commonName }) => commonName),
    ['SEV-VCEK'],
  )
  const cut = () => readEndorsements([{ name: 'auxblob', bytes: table.subarray(0, 60) }])
  assert.throws(cut, /auxblob: a certificate table entry points outside/)
  const empty = () => readEndorsements([{ name: 'auxblob', bytes: new Uint8Array(0) }])
  assert.throws(empty, /auxblob is empty: 0 bytes/)
})
