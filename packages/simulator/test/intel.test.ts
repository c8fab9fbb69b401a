// Quotes and endorsements of a simulated Intel platform, read by verifiers that we did not write: dcap-qvl under the
// simulated root, node:crypto and OpenSSL.

import assert from 'node:assert/strict'
import { createHash, createPublicKey, randomBytes, verify, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import {
  createIntelPlatform,
  type IntelPlatform,
  type IntelPlatformOptions,
  intelPlatformFromJSON,
  PREVIOUS_CPU_SVN,
  readPublicTrust,
} from '../src/index.ts'
import { opensslCrlText, opensslMissing, opensslVerify } from './openssl.ts'
import { endorsement, verifyWithQvl } from './qvl.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const DAY_MS = 86_400_000
const REPORT_DATA = randomBytes(64)

function pemCertificates(text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map(block => new X509Certificate(block))
}

/** PCK, intermediate and root, as a quote carries them. */
function chainOf(quote: Uint8Array): X509Certificate[] {
  return pemCertificates(Buffer.from(quote).toString('latin1'))
}

function isSigned(
  data: Uint8Array,
  signature: Uint8Array,
  key: Parameters<typeof createPublicKey>[0],
): boolean {
  return verify('sha256', data, { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' }, signature)
}

/** A JWK of x ‖ y. */
function publicKeyOf(point: Uint8Array): Parameters<typeof createPublicKey>[0] {
  const coordinate = (from: number) => Buffer.from(point.subarray(from, from + 32)).toString('base64url')
  return { key: { kty: 'EC', crv: 'P-256', x: coordinate(0), y: coordinate(32) }, format: 'jwk' }
}

for (const format of ['v4', 'v5-1.0', 'v5-1.5'] as const) {
  test(`dcap-qvl accepts a TDX quote ${format} under the simulated root`, async () => {
    const platform = await createIntelPlatform({ now: NOW })
    const quote = platform.tdxQuote({ reportData: REPORT_DATA, format })
    assert.equal(verifyWithQvl(platform, quote, { tee: 'tdx', now: NOW }).status, 'UpToDate')
  })
}

for (const pckCa of ['platform', 'processor'] as const) {
  test(`dcap-qvl accepts an SGX quote with a PCK of the ${pckCa} CA`, async () => {
    const platform = await createIntelPlatform({ now: NOW, pckCa })
    const quote = platform.sgxQuote({ reportData: REPORT_DATA })
    assert.equal(verifyWithQvl(platform, quote, { tee: 'sgx', now: NOW }).status, 'UpToDate')
  })
}

test('dcap-qvl refuses the quote of one platform under the root of another', async () => {
  const [one, other] = [await createIntelPlatform({ now: NOW }), await createIntelPlatform({ now: NOW })]
  const quote = one.tdxQuote({ reportData: REPORT_DATA })
  assert.throws(() => verifyWithQvl(other, quote, { tee: 'tdx', now: NOW }))
})

const STATUSES: readonly (readonly [string, IntelPlatformOptions, string, readonly string[]])[] = [
  ['an outdated platform', { cpuSvn: PREVIOUS_CPU_SVN, pceSvn: 11 }, 'OutOfDate', ['CASEMATE-SIM-SA-00001']],
  [
    'a level that needs hardening',
    { statuses: { platform: { status: 'SWHardeningNeeded', advisoryIds: ['CASEMATE-SIM-SA-00002'] } } },
    'SWHardeningNeeded',
    ['CASEMATE-SIM-SA-00002'],
  ],
  [
    'an outdated quoting enclave',
    { statuses: { qe: { status: 'OutOfDate', advisoryIds: ['CASEMATE-SIM-SA-00003'] } } },
    'OutOfDate',
    ['CASEMATE-SIM-SA-00003'],
  ],
]

for (const [what, options, status, advisories] of STATUSES) {
  test(`dcap-qvl reads ${what} as ${status}`, async () => {
    const platform = await createIntelPlatform({ now: NOW, ...options })
    const quote = platform.sgxQuote({ reportData: REPORT_DATA })
    const verdict = verifyWithQvl(platform, quote, { tee: 'sgx', now: NOW })
    assert.equal(verdict.status, status)
    assert.deepEqual(verdict.advisory_ids, advisories)
  })
}

test('node:crypto verifies every signature of an SGX quote from the root down', async () => {
  const platform = await createIntelPlatform({ now: NOW })
  const quote = platform.sgxQuote({ reportData: REPORT_DATA })
  const [pck, intermediate, root] = chainOf(quote)
  assert.ok(root!.verify(root!.publicKey))
  assert.ok(intermediate!.verify(root!.publicKey))
  assert.ok(pck!.verify(intermediate!.publicKey))
  // A.4: header 48, report 384, length 4, signature 64, key 64, QE report 384, its signature 64, authentication data.
  const [signature, key, qeReport] = [
    quote.subarray(436, 500),
    quote.subarray(500, 564),
    quote.subarray(564, 948),
  ]
  const authenticationData = quote.subarray(1014, 1014 + 32)
  assert.ok(isSigned(quote.subarray(0, 432), signature, publicKeyOf(key)))
  assert.ok(
    verify('sha256', qeReport, { key: pck!.publicKey, dsaEncoding: 'ieee-p1363' }, quote.subarray(948, 1012)),
  )
  const binding = createHash('sha256').update(key).update(authenticationData).digest()
  assert.deepEqual(Buffer.from(qeReport.subarray(320, 352)), binding)
})

test('fields of a request stand where the format has them', async () => {
  const platform = await createIntelPlatform({ now: NOW })
  const sgx = Buffer.from(
    platform.sgxQuote({ reportData: REPORT_DATA, mrEnclave: '11'.repeat(32), isvSvn: 0x1234 }),
  )
  assert.equal(sgx.subarray(48 + 64, 48 + 96).toString('hex'), '11'.repeat(32))
  assert.equal(sgx.readUInt16LE(48 + 258), 0x1234)
  assert.deepEqual(sgx.subarray(48 + 320, 48 + 384), REPORT_DATA)
  const tdx = Buffer.from(
    platform.tdxQuote({
      reportData: REPORT_DATA,
      format: 'v5-1.5',
      mrTd: '22'.repeat(48),
      rtmr3: '33'.repeat(48),
      mrServiceTd: '44'.repeat(48),
    }),
  )
  assert.equal(tdx.subarray(54 + 136, 54 + 184).toString('hex'), '22'.repeat(48))
  assert.equal(tdx.subarray(54 + 472, 54 + 520).toString('hex'), '33'.repeat(48))
  assert.deepEqual(tdx.subarray(54 + 520, 54 + 584), REPORT_DATA)
  assert.equal(tdx.subarray(54 + 600, 54 + 648).toString('hex'), '44'.repeat(48))
})

test('a field that the format does not have, or of another size, is the caller’s mistake', async () => {
  const platform = await createIntelPlatform({ now: NOW })
  const quote = (fields: object) => () => platform.tdxQuote({ reportData: REPORT_DATA, ...fields })
  assert.throws(quote({ reportData: new Uint8Array(63) }), /reportData is 63 bytes, want 64/)
  assert.throws(quote({ mrServiceTd: '00'.repeat(48) }), /no field mrServiceTd/)
  assert.throws(quote({ mrTd: 'not hex' }), TypeError)
  await assert.rejects(createIntelPlatform({ fmspc: '00' }), /fmspc is 1 bytes, want 6/)
  await assert.rejects(createIntelPlatform({ cpuSvn: [1, 2] }), /16 component SVNs/)
})

test('a reopened platform quotes under the same root, with endorsements issued anew', async () => {
  const platform = await createIntelPlatform({ now: NOW })
  const later = new Date(NOW.getTime() + 90 * DAY_MS)
  const quote = platform.tdxQuote({ reportData: REPORT_DATA })
  assert.throws(() => verifyWithQvl(platform, quote, { tee: 'tdx', now: later }), /expired|nextUpdate/i)
  const reopened = await intelPlatformFromJSON(JSON.parse(JSON.stringify(platform)), { now: later })
  assert.deepEqual(reopened.anchors, platform.anchors)
  assert.equal(verifyWithQvl(reopened, quote, { tee: 'tdx', now: later }).status, 'UpToDate')
  assert.equal(
    verifyWithQvl({ ...platform, endorsements: platform.endorsementsAt(later) }, quote, {
      tee: 'tdx',
      now: later,
    }).status,
    'UpToDate',
  )
})

test('a sibling is another machine under the same papers', async () => {
  const platform = await createIntelPlatform({ now: NOW })
  const sibling = platform.sibling()
  const [quote, other] = [platform, sibling].map(machine => machine.tdxQuote({ reportData: REPORT_DATA }))
  assert.equal(verifyWithQvl(platform, other!, { tee: 'tdx', now: NOW }).status, 'UpToDate')
  const [chain, another] = [chainOf(quote!), chainOf(other!)]
  assert.notDeepEqual(another[0]!.raw, chain[0]!.raw)
  assert.deepEqual(
    another.slice(1).map(({ raw }) => raw),
    chain.slice(1).map(({ raw }) => raw),
  )
  assert.equal(sibling.endorsements, platform.endorsements)
})

test('public trust holds anchors and endorsements and no private key', async () => {
  const platform = await createIntelPlatform({ now: NOW })
  const json = JSON.stringify(platform.publicTrust())
  for (const key of Object.values(platform.toJSON().keys)) assert.ok(!json.includes(key))
  const { anchors, endorsements } = readPublicTrust(JSON.parse(json))
  assert.deepEqual(
    anchors.map(({ simulated, name }) => [simulated, name]),
    [[true, 'Casemate Simulated SGX Root CA']],
  )
  assert.deepEqual(Buffer.from(anchors[0]!.spki), platform.anchors[0]!.spki)
  assert.deepEqual(
    endorsements.map(({ bytes }) => Buffer.from(bytes)),
    platform.endorsements.map(({ bytes }) => Buffer.from(bytes)),
  )
})

test('public trust that claims to be real is read as simulated all the same', async () => {
  const trust = (await createIntelPlatform({ now: NOW })).publicTrust()
  const forged = { ...trust, anchors: trust.anchors.map(anchor => ({ ...anchor, simulated: false })) }
  assert.equal(readPublicTrust(forged).anchors[0]?.simulated, true)
})

test('JSON that is no public trust is not read as one', async () => {
  const trust = (await createIntelPlatform({ now: NOW })).publicTrust()
  const [anchor] = trust.anchors
  for (const other of [
    null,
    [],
    { ...trust, endorsements: 'none' },
    { ...trust, anchors: [null] },
    { ...trust, anchors: [{ ...anchor, vendor: 'other' }] },
    { ...trust, anchors: [{ ...anchor, spki: 'not base64' }] },
    { ...trust, endorsements: [{ name: 1, bytes: '' }] },
  ]) {
    assert.throws(() => readPublicTrust(other), TypeError)
  }
})

test('a platform with faults is not stored', async () => {
  const platform = await createIntelPlatform({ now: NOW, faults: { revoked: ['pck'] } })
  assert.throws(() => platform.toJSON(), TypeError)
})

test('a stored document that is not whole is not opened', async () => {
  const stored = (await createIntelPlatform({ now: NOW })).toJSON()
  const open = (change: object) => intelPlatformFromJSON({ ...stored, ...change })
  await assert.rejects(open({ format: 'something else' }), /format something else/)
  await assert.rejects(open({ createdAt: 'once' }), /createdAt/)
  await assert.rejects(open({ keys: { ...stored.keys, pck: 'AAAA' } }), /not PKCS #8/)
  await assert.rejects(open({ settings: { ...stored.settings, fmspc: 'ca5e' } }), /fmspc is 2 bytes, want 6/)
})

function opensslChain(platform: IntelPlatform) {
  const [pck, intermediate, root] = chainOf(platform.sgxQuote({ reportData: REPORT_DATA }))
  const crls = [endorsement(platform, 'pck-crl.der'), endorsement(platform, 'root-ca-crl.der')]
  return { root: root!.raw, intermediates: [intermediate!.raw], leaf: pck!.raw, crls, at: NOW, strict: true }
}

test('openssl accepts the PCK chain and both lists under its strictest checks', {
  skip: opensslMissing(),
}, async () => {
  opensslVerify(opensslChain(await createIntelPlatform({ now: NOW })))
})

test('openssl accepts the TCB signing certificate', { skip: opensslMissing() }, async () => {
  const platform = await createIntelPlatform({ now: NOW })
  const chain = Buffer.from(endorsement(platform, 'tcb-signing-chain.pem')).toString()
  const [signing, root] = pemCertificates(chain)
  const crls = [endorsement(platform, 'root-ca-crl.der')]
  opensslVerify({ root: root!.raw, intermediates: [], leaf: signing!.raw, crls, at: NOW, strict: true })
})

for (const which of ['pck', 'intermediate'] as const) {
  test(`openssl refuses a revoked ${which}`, { skip: opensslMissing() }, async () => {
    const platform = await createIntelPlatform({ now: NOW, faults: { revoked: [which] } })
    assert.throws(() => opensslVerify(opensslChain(platform)), /certificate revoked/)
    const list = endorsement(platform, which === 'pck' ? 'pck-crl.der' : 'root-ca-crl.der')
    assert.match(opensslCrlText(list), /Key Compromise/)
  })
}

test('openssl refuses each damaged certificate and list for its damage', {
  skip: opensslMissing(),
}, async () => {
  const faulty = async (faults: NonNullable<IntelPlatformOptions['faults']>) =>
    opensslChain(await createIntelPlatform({ now: NOW, faults }))
  const signature = { damage: 'signature' } as const
  const expired = { notAfter: new Date(NOW.getTime() - 1000) }
  const chains = {
    'certificate signature failure': await faulty({ certificates: { pck: signature } }),
    'CRL signature failure': await faulty({ crls: { pck: signature } }),
    'certificate has expired': await faulty({ certificates: { intermediate: expired } }),
    'CRL has expired': await faulty({ crls: { root: { nextUpdate: new Date(NOW.getTime() - 1000) } } }),
    'invalid CA certificate': await faulty({ certificates: { intermediate: { constraints: 'leaf' } } }),
  }
  for (const [words, chain] of Object.entries(chains)) {
    assert.throws(() => opensslVerify(chain), new RegExp(words, 'i'), words)
  }
})

test('another verifier reads MISCSELECT of an identity in the same order', async () => {
  const quoteUnder = async (miscselect: string, miscselectMask: string) => {
    const edit = (identity: object) => Object.assign(identity, { miscselect, miscselectMask })
    const platform = await createIntelPlatform({
      now: NOW,
      faults: { documents: { tdQeIdentity: { edit } } },
    })
    const quote = platform.tdxQuote({
      reportData: new Uint8Array(64),
      qeReport: { miscSelect: 0x0403_0201 },
    })
    return () => verifyWithQvl(platform, quote, { tee: 'tdx', now: NOW })
  }
  assert.equal((await quoteUnder('01020304', 'FFFFFFFF'))().status, 'UpToDate')
  assert.equal((await quoteUnder('01020000', 'FFFF0000'))().status, 'UpToDate')
  assert.throws(await quoteUnder('04030201', 'FFFFFFFF'), /MISCSELECT/)
})
