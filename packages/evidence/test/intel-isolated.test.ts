// Every check of an Intel quote, with one input that passes and one that fails that check alone: `after` is the last
// step that had passed, so that a failure for another reason does not count.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { before, test } from 'node:test'
import {
  createIntelPlatform,
  type IntelPlatform,
  type IntelPlatformOptions,
  intelPlatformFromJSON,
  PREVIOUS_CPU_SVN,
  type SgxQuoteRequest,
  type TdxQuoteRequest,
} from '@casemate/simulator'
import { concat, encodeUtf8, toBase64, toHex } from '../src/bytes.ts'
import { DerReader, TAG } from '../src/der.ts'
import {
  parse,
  Refusal,
  type RefusalCode,
  readEndorsements,
  type TrustAnchor,
  type Verified,
  verify,
} from '../src/index.ts'
import type { TdxQuote } from '../src/intel/quote.ts'
import { parseCertificate, readPem } from '../src/x509.ts'
import { element, privateKey, readParts, reissue } from './reissue.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const DAY_MS = 86_400_000
const later = (days: number): Date => new Date(NOW.getTime() + days * DAY_MS)
const REPORT_DATA = new Uint8Array(64).fill(7)

type Step =
  | 'pck-chain'
  | 'qe-report-signature'
  | 'qe-binding'
  | 'quote-signature'
  | 'pck-revocation'
  | 'qe-identity-signature'
  | 'qe-identity'
  | 'tcb-info-signature'
  | 'tdx-module'
  | 'tcb-level'
  | 'tcb-status'

interface Given {
  readonly options?: IntelPlatformOptions
  readonly tdx?: Partial<TdxQuoteRequest>
  readonly sgx?: Partial<SgxQuoteRequest>
  readonly without?: readonly string[]
  readonly now?: Date
  readonly minimum?: number
  readonly anchors?: readonly TrustAnchor[]
}

let plain: IntelPlatform

before(async () => {
  plain = await createIntelPlatform({ now: NOW })
})

async function verifyGiven(given: Given): Promise<Verified> {
  const platform = given.options ? await createIntelPlatform({ now: NOW, ...given.options }) : plain
  const quote = given.sgx
    ? platform.sgxQuote({ reportData: REPORT_DATA, ...given.sgx })
    : platform.tdxQuote({ reportData: REPORT_DATA, ...given.tdx })
  const sources = platform.endorsements.filter(({ name }) => !given.without?.includes(name))
  return verify(parse(quote), readEndorsements(sources), {
    now: given.now ?? NOW,
    anchors: given.anchors ?? platform.anchors,
    minTcbEvaluationDataNumber: given.minimum ?? 'any',
  })
}

async function refusal(work: Promise<unknown>): Promise<Refusal> {
  const error: unknown = await work.then(
    () => assert.fail('accepted'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof Refusal, String(error))
  return error
}

function refused(code: RefusalCode, after: Step | null, cases: Readonly<Record<string, Given>>): void {
  for (const [name, given] of Object.entries(cases)) {
    test(`${name} is refused: ${code}`, async () => {
      const found = await refusal(verifyGiven(given))
      assert.equal(found.code, code, found.message)
      assert.equal(found.steps.at(-1)?.name ?? null, after)
    })
  }
}

function accepted(cases: Readonly<Record<string, Given>>): void {
  for (const [name, given] of Object.entries(cases)) {
    test(`${name} is accepted`, async () => {
      const { steps } = await verifyGiven(given)
      assert.equal(steps.at(-1)?.name, 'tcb-status')
    })
  }
}

const certificate = (which: 'pck' | 'intermediate' | 'root' | 'tcbSigning', fault: object): Given => ({
  options: { faults: { certificates: { [which]: fault } } },
})
const crl = (which: 'pck' | 'root', fault: object): Given => ({
  options: { faults: { crls: { [which]: fault } } },
})
const document = (which: 'tdxTcbInfo' | 'tdQeIdentity', fault: object): Given => ({
  options: { faults: { documents: { [which]: fault } } },
})
const edited = (which: 'tdxTcbInfo' | 'tdQeIdentity', changes: object): Given =>
  document(which, { edit: (it: object) => Object.assign(it, changes) })

accepted({
  'an SGX quote': { sgx: {} },
  'an SGX quote with its certificates in DER': { sgx: { chainForm: 'der' } },
  'a TDX quote with its certificates in DER, in another order': {
    tdx: { chainForm: 'der', chain: ['root', 'pck', 'intermediate'] },
  },
  'an SGX quote with TCB info of version 2': { sgx: {}, options: { sgxTcbInfoVersion: 2 } },
  'a TDX quote of version 4': {},
  'a TDX quote of version 5 with a 1.0 body': { tdx: { format: 'v5-1.0' } },
  'a TDX quote of version 5 with a 1.5 body': { tdx: { format: 'v5-1.5' } },
  'a TDX quote of version 5 with migration fields': { tdx: { format: 'v5-1.5-migration' } },
  'a PCK of the Processor CA': { options: { pckCa: 'processor' } },
  'a chain in another order': { tdx: { chain: ['root', 'pck', 'intermediate'] } },
  'a chain without its root': { tdx: { chain: ['pck', 'intermediate'] } },
  'a PCK alone whose authorities are among the endorsements': { tdx: { chain: ['pck'] } },
  'a chain with an unneeded certificate of the same root': {
    tdx: { chain: ['pck', 'intermediate', 'root', 'tcbSigning'] },
  },
  'the last moment of a PCK certificate': certificate('pck', { notAfter: NOW }),
  'the last moment of a revocation list': crl('pck', { nextUpdate: NOW }),
  'the last moment of TCB info': document('tdxTcbInfo', { nextUpdate: NOW }),
  'the minimum evaluation number itself': { minimum: 20 },
  'bytes behind the quote': { tdx: { trailing: new Uint8Array(70) } },
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

refused('qe-report-signature-invalid', 'pck-chain', {
  'a QE report with another signature': { tdx: { tamper: ['qeReportSignature'] } },
  'a QE report that was changed': { tdx: { tamper: ['qeReport'] } },
  'a QE report of an SGX quote that was changed': { sgx: { tamper: ['qeReport'] } },
})
refused('qe-binding-mismatch', 'qe-report-signature', {
  'a QE report that binds another key': { tdx: { qeReport: { reportData: new Uint8Array(64).fill(1) } } },
  'another attestation key': { tdx: { tamper: ['attestationKey'] } },
  'other authentication data': { tdx: { tamper: ['authenticationData'] } },
})
refused('quote-signature-invalid', 'qe-binding', {
  'a quote with another signature': { tdx: { tamper: ['quoteSignature'] } },
  'an SGX quote with another signature': { sgx: { tamper: ['quoteSignature'] } },
  'changed report data': { tdx: { tamper: ['reportData'] } },
  'a changed MRTD': { tdx: { tamper: ['mrTd'] } },
  'a changed last migration field': {
    tdx: { format: 'v5-1.5-migration', tamper: ['currentServiceTdAttributes'] },
  },
  'a changed MRSERVICETD': { tdx: { format: 'v5-1.5', tamper: ['mrServiceTd'] } },
  'a changed MRENCLAVE': { sgx: { tamper: ['mrEnclave'] } },
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
refused('certificate-revoked', 'pck-revocation', {
  'a revoked TCB signing certificate': { options: { faults: { revoked: ['tcbSigning'] } } },
})

refused('endorsement-missing', 'pck-revocation', {
  'a missing identity': { without: ['td-qe-identity.json'] },
})
refused('endorsement-expired', 'pck-revocation', {
  'an identity that expired': document('tdQeIdentity', { issueDate: later(-9), nextUpdate: later(-0.5) }),
})
refused('endorsement-not-yet-valid', 'pck-revocation', {
  'an identity of tomorrow': document('tdQeIdentity', { issueDate: later(1) }),
})
refused('endorsement-signature-invalid', 'pck-revocation', {
  'an identity with another signature': document('tdQeIdentity', { damage: 'signature' }),
})
refused('evaluation-number-too-low', 'pck-revocation', {
  'endorsements of an evaluation before the minimum': { minimum: 21 },
  'an identity of an evaluation before the minimum': {
    ...edited('tdQeIdentity', { tcbEvaluationDataNumber: 19 }),
    minimum: 20,
  },
})
refused('chain-incomplete', 'pck-revocation', {
  'an identity without its signing certificate': { without: ['tcb-signing-chain.pem'] },
})
refused('certificate-expired', 'pck-revocation', {
  'an identity whose signing certificate expired': certificate('tcbSigning', { notAfter: later(-0.5) }),
})
refused('certificate-not-yet-valid', 'pck-revocation', {
  'an identity whose signing certificate has not begun': certificate('tcbSigning', { notBefore: later(1) }),
})
refused('certificate-signature-invalid', 'pck-revocation', {
  'an identity whose signing certificate is not the root’s': certificate('tcbSigning', {
    damage: 'signature',
  }),
})

refused('qe-identity-mismatch', 'qe-identity-signature', {
  'a quoting enclave of another signer': { tdx: { qeReport: { mrSigner: new Uint8Array(32).fill(1) } } },
  'another product of the same signer': { tdx: { qeReport: { isvProdId: 3 } } },
  'a quoting enclave with MISCSELECT': { tdx: { qeReport: { miscSelect: 1 } } },
  'a quoting enclave in debug mode': { tdx: { qeReport: { attributesFlags: 0x17 } } },
})
accepted({
  'a quoting enclave with attributes that the identity masks out': {
    tdx: { qeReport: { attributesXfrm: 0x07, attributesFlags: 0x11 } },
  },
})
/** The report's octets are 01 02 03 04; an identity writes masked fields as the report has them. */
const withMiscSelect = (miscselect: string, miscselectMask: string): Given => ({
  ...edited('tdQeIdentity', { miscselect, miscselectMask }),
  tdx: { qeReport: { miscSelect: 0x0403_0201 } },
})
const ATTRIBUTES_OF_QE = { attributesFlags: 0x0807_0605_0403_0211n, attributesXfrm: 0x1807_0605_0403_0201n }
const withAttributes = (attributes: string, attributesMask: string): Given => ({
  ...edited('tdQeIdentity', { attributes, attributesMask }),
  tdx: { qeReport: ATTRIBUTES_OF_QE },
})
accepted({
  'MISCSELECT in the order of the report': withMiscSelect('01020304', 'FFFFFFFF'),
  'MISCSELECT whose last octets are masked out': withMiscSelect('01020000', 'FFFF0000'),
  'ATTRIBUTES in the order of the report': withAttributes('11020304050607080102030405060718', 'F'.repeat(32)),
  'ATTRIBUTES of which the first octets of each half count': withAttributes(
    '11020000000000000102000000000000',
    'FFFF000000000000FFFF000000000000',
  ),
})
refused('qe-identity-mismatch', 'qe-identity-signature', {
  'MISCSELECT in the opposite order': withMiscSelect('04030201', 'FFFFFFFF'),
  'MISCSELECT under a mask in the opposite order': withMiscSelect('01020000', '0000FFFF'),
  'ATTRIBUTES in the opposite order': withAttributes('08070605040302111807060504030201', 'F'.repeat(32)),
})
refused('tcb-level-unknown', 'qe-identity-signature', {
  'a quoting enclave below every level': { tdx: { qeReport: { isvSvn: 2 } } },
})

refused('endorsement-missing', 'qe-identity', {
  'missing TCB info': { without: ['tdx-tcb-info.json'] },
  'TCB info of another family': edited('tdxTcbInfo', { fmspc: '00606A000000' }),
  'TCB info of the other TEE alone': { without: ['tdx-tcb-info.json'] },
})
refused('pce-mismatch', 'qe-identity', {
  'TCB info of another PCE': edited('tdxTcbInfo', { pceId: '0001' }),
})
refused('endorsement-expired', 'qe-identity', {
  'TCB info that expired': document('tdxTcbInfo', { issueDate: later(-9), nextUpdate: later(-0.5) }),
})
refused('endorsement-not-yet-valid', 'qe-identity', {
  'TCB info of tomorrow': document('tdxTcbInfo', { issueDate: later(1) }),
})
refused('endorsement-signature-invalid', 'qe-identity', {
  'TCB info with another signature': document('tdxTcbInfo', { damage: 'signature' }),
})
refused('evaluation-number-too-low', 'qe-identity', {
  'TCB info of an evaluation before the minimum': {
    ...edited('tdxTcbInfo', { tcbEvaluationDataNumber: 19 }),
    minimum: 20,
  },
})

refused('tdx-module-mismatch', 'tcb-info-signature', {
  'a TDX module of another signer': { tdx: { mrSignerSeam: new Uint8Array(48).fill(1) } },
  'a TDX module with attributes': { tdx: { seamAttributes: new Uint8Array(8).fill(1) } },
  'a TDX module of a version that has no identity': {
    tdx: { teeTcbSvn: new Uint8Array([6, 2, 3, ...new Uint8Array(13)]) },
  },
})
refused('tcb-level-unknown', 'tcb-info-signature', {
  'a TDX module below every level': { tdx: { teeTcbSvn: new Uint8Array([3, 1, 3, ...new Uint8Array(13)]) } },
})
refused('tcb-level-unknown', 'tdx-module', {
  'a TD below every level in its late microcode': {
    tdx: { teeTcbSvn: new Uint8Array([6, 1, 1, ...new Uint8Array(13)]) },
  },
  'a platform below every level in one component': {
    options: { cpuSvn: [2, 2, 2, 2, 3, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0] },
  },
  'a platform below every level in PCESVN': { options: { pceSvn: 10 } },
})
refused('tcb-level-unknown', 'tcb-info-signature', {
  'an SGX platform below every level': { sgx: {}, options: { pceSvn: 10 } },
})
accepted({
  'a TDX module of version 0, which levels alone judge': {
    tdx: { teeTcbSvn: new Uint8Array([5, 0, 3, ...new Uint8Array(13)]) },
  },
})
refused('tcb-level-unknown', 'tdx-module', {
  'a TDX module of version 0 below every level': {
    tdx: { teeTcbSvn: new Uint8Array([4, 0, 3, ...new Uint8Array(13)]) },
  },
})

test('of editions that differ each has its number, and the lower one counts', async () => {
  const older = edited('tdQeIdentity', { tcbEvaluationDataNumber: 19 })
  const { claims, steps } = await verifyGiven(older)
  assert.ok(claims.kind === 'tdx')
  const { tcbInfoEvaluationDataNumber, qeIdentityEvaluationDataNumber } = claims.platform
  assert.deepEqual([tcbInfoEvaluationDataNumber, qeIdentityEvaluationDataNumber], [20, 19])
  assert.equal(claims.tcbEvaluationDataNumber, 19)
  const looked = (name: string) => steps.find(step => step.name === name)?.looked ?? ''
  assert.match(looked('tcb-info-signature'), /evaluation 20,/)
  assert.match(looked('qe-identity-signature'), /evaluation 19,/)
  const other = await verifyGiven(edited('tdxTcbInfo', { tcbEvaluationDataNumber: 18 }))
  assert.equal(other.claims.tcbEvaluationDataNumber, 18)
  const error = await refusal(verifyGiven({ ...older, minimum: 20 }))
  assert.equal(error.code, 'evaluation-number-too-low')
})

test('a platform that reaches the level before the newest is OutOfDate with that level’s date and advisories', async () => {
  const { claims } = await verifyGiven({ options: { cpuSvn: PREVIOUS_CPU_SVN } })
  assert.equal(claims.tcbStatus, 'OutOfDate')
  assert.equal(claims.tcbDate, '2024-03-13T00:00:00Z')
  assert.deepEqual(claims.advisoryIds, ['CASEMATE-SIM-SA-00001'])
})

const NEWEST_DATE = '2024-11-13T00:00:00Z'
const PREVIOUS_DATE = '2024-03-13T00:00:00Z'
const PREVIOUS_MODULE = new Uint8Array([4, 1, 3, ...new Uint8Array(13)])
for (const [what, given, dates] of [
  ['nothing', {}, [NEWEST_DATE, NEWEST_DATE, NEWEST_DATE]],
  ['the platform', { options: { cpuSvn: PREVIOUS_CPU_SVN } }, [PREVIOUS_DATE, NEWEST_DATE, NEWEST_DATE]],
  ['the TDX module', { tdx: { teeTcbSvn: PREVIOUS_MODULE } }, [NEWEST_DATE, PREVIOUS_DATE, NEWEST_DATE]],
  ['the quoting enclave', { tdx: { qeReport: { isvSvn: 3 } } }, [NEWEST_DATE, NEWEST_DATE, PREVIOUS_DATE]],
] as const) {
  test(`where ${what} is behind, the TCB date is that of the oldest level, and each date is a claim`, async () => {
    const { claims } = await verifyGiven(given)
    assert.ok(claims.kind === 'tdx')
    const { platformTcbDate, qeTcbDate } = claims.platform
    assert.deepEqual([platformTcbDate, claims.tdx.moduleTcbDate, qeTcbDate], dates)
    assert.equal(claims.tcbDate, what === 'nothing' ? NEWEST_DATE : PREVIOUS_DATE)
  })
}

test('an SGX quote has the date of a quoting enclave that is behind', async () => {
  const { claims } = await verifyGiven({ sgx: { qeReport: { isvSvn: 6 } } })
  assert.ok(claims.kind === 'sgx')
  assert.equal(claims.tcbDate, claims.platform.qeTcbDate)
  assert.ok(claims.platform.qeTcbDate < claims.platform.platformTcbDate)
})

test('advisories of platform, module and quoting enclave are listed once each', async () => {
  const { claims } = await verifyGiven({
    options: {
      statuses: {
        platform: { status: 'SWHardeningNeeded', advisoryIds: ['A', 'B'] },
        module: { status: 'OutOfDate', advisoryIds: ['B', 'C'] },
        qe: { status: 'UpToDate', advisoryIds: ['D'] },
      },
    },
  })
  assert.deepEqual(claims.advisoryIds, ['A', 'B', 'C', 'D'])
  assert.equal(claims.tcbStatus, 'OutOfDate')
  assert.ok(claims.kind === 'tdx')
  assert.equal(claims.platform.platformTcbStatus, 'SWHardeningNeeded')
  assert.equal(claims.tdx.moduleTcbStatus, 'OutOfDate')
  assert.equal(claims.platform.qeTcbStatus, 'UpToDate')
})

test('a TD that was launched under an old module which is new now is to be relaunched', async () => {
  const old = new Uint8Array([4, 1, 3, ...new Uint8Array(13)])
  const present = (svn: number, microcode: number) =>
    new Uint8Array([svn, 1, microcode, ...new Uint8Array(13)])
  const statusOf = async (
    teeTcbSvn2: Uint8Array,
    options: IntelPlatformOptions = {},
  ): Promise<string | null> => {
    const { claims } = await verifyGiven({ options, tdx: { format: 'v5-1.5', teeTcbSvn: old, teeTcbSvn2 } })
    return claims.tcbStatus
  }
  assert.equal(await statusOf(present(6, 3)), 'TDRelaunchAdvised')
  assert.equal(await statusOf(present(5, 3)), 'OutOfDate')
  assert.equal(await statusOf(present(6, 2)), 'OutOfDate')
  const configuration = { status: 'ConfigurationNeeded', advisoryIds: [] } as const
  assert.equal(
    await statusOf(present(6, 3), { statuses: { platform: configuration } }),
    'TDRelaunchAdvisedConfigurationNeeded',
  )
  const outOfDate = { status: 'OutOfDate', advisoryIds: [] } as const
  assert.equal(await statusOf(present(6, 3), { statuses: { qe: outOfDate } }), 'OutOfDate')
  assert.equal(await statusOf(present(6, 3), { cpuSvn: PREVIOUS_CPU_SVN }), 'OutOfDate')
  // Here the level is old, and the module at launch was not.
  const oldMicrocode = new Uint8Array([6, 1, 2, ...new Uint8Array(13)])
  const levelOnly = await verifyGiven({
    tdx: { format: 'v5-1.5', teeTcbSvn: oldMicrocode, teeTcbSvn2: present(6, 3) },
  })
  assert.equal(levelOnly.claims.tcbStatus, 'OutOfDate')
  const { claims } = await verifyGiven({ tdx: { format: 'v5-1.0', teeTcbSvn: old } })
  assert.equal(claims.tcbStatus, 'OutOfDate')
})

test('a TD whose present module has no identity is refused', async () => {
  const svn = (version: number, isvSvn: number) => new Uint8Array([isvSvn, version, 3, ...new Uint8Array(13)])
  const found = await refusal(
    verifyGiven({ tdx: { format: 'v5-1.5', teeTcbSvn: svn(1, 4), teeTcbSvn2: svn(9, 6) } }),
  )
  assert.equal(found.code, 'tdx-module-mismatch')
})

test('debug is told by its bit: ATTRIBUTES.DEBUG of an enclave, anything in TDATTRIBUTES.TUD of a TD', async () => {
  assert.equal((await verifyGiven({ sgx: {} })).claims.debug, false)
  assert.equal((await verifyGiven({ sgx: { attributesFlags: 0x07 } })).claims.debug, true)
  assert.equal((await verifyGiven({})).claims.debug, false)
  assert.equal((await verifyGiven({ tdx: { tdAttributes: 0x01 } })).claims.debug, true)
  assert.equal((await verifyGiven({ tdx: { tdAttributes: 0x40 } })).claims.debug, true)
})

/** The one attribute that each bit of TDATTRIBUTES is. */
const NAMED_BITS = new Map([
  [0, 'debug'],
  [4, 'hgsPlusProf'],
  [5, 'perfProf'],
  [6, 'pmtProf'],
  [16, 'icssd'],
  [17, 'servtdExt'],
  [27, 'lass'],
  [28, 'septVeDisable'],
  [29, 'migratable'],
  [30, 'protectionKeys'],
  [31, 'keyLocker'],
  [62, 'tpa'],
  [63, 'perfmon'],
])

test('every bit of TDATTRIBUTES shows: by its name alone, or among the unknown ones', async () => {
  const none = '00'.repeat(8)
  for (let bit = 0; bit < 64; bit++) {
    const tdAttributes = new Uint8Array(8)
    tdAttributes[bit >> 3] = 1 << (bit & 7)
    const { claims } = await verifyGiven({ tdx: { tdAttributes } })
    assert.ok(claims.kind === 'tdx')
    const { unknownBits, ...named } = claims.tdx.attributes
    const set = Object.entries(named).flatMap(([name, value]) => (value ? [name] : []))
    const name = NAMED_BITS.get(bit)
    assert.deepEqual(set, name === undefined ? [] : [name], `bit ${bit}`)
    assert.equal(unknownBits, name === undefined ? toHex(tdAttributes) : none, `bit ${bit}`)
    assert.equal(claims.debug, bit < 8)
  }
})

test('what a simulated root signs says so, and vendor anchors alone never accept it', async () => {
  const { claims } = await verifyGiven({})
  assert.equal(claims.simulated, true)
  const { VENDOR_ANCHORS } = await import('../src/index.ts')
  assert.equal((await refusal(verifyGiven({ anchors: VENDOR_ANCHORS }))).code, 'chain-untrusted')
})

test('the verdict ends with the first window that it depends on', async () => {
  const at = async (given: Given): Promise<string> => (await verifyGiven(given)).validUntil.toISOString()
  assert.equal(await at({}), later(30).toISOString())
  assert.equal(await at(certificate('pck', { notAfter: later(1) })), later(1).toISOString())
  assert.equal(await at(certificate('tcbSigning', { notAfter: later(2) })), later(2).toISOString())
  assert.equal(await at(crl('pck', { nextUpdate: later(1.5) })), later(1.5).toISOString())
  assert.equal(await at(crl('root', { nextUpdate: later(3) })), later(3).toISOString())
  assert.equal(await at(document('tdxTcbInfo', { nextUpdate: later(4) })), later(4).toISOString())
  assert.equal(await at(document('tdQeIdentity', { nextUpdate: later(5) })), later(5).toISOString())
})

test('a clock that shows no time is the caller’s mistake, and a minimum that is no number refuses', async () => {
  await assert.rejects(verifyGiven({ now: new Date(Number.NaN) }), TypeError)
  assert.equal((await refusal(verifyGiven({ minimum: Number.NaN }))).code, 'evaluation-number-too-low')
})

test('what is remembered of signatures outlives no window', async () => {
  const quote = parse(plain.tdxQuote({ reportData: REPORT_DATA }))
  const endorsements = readEndorsements(plain.endorsements)
  const at = (now: Date): Promise<Verified> =>
    verify(quote, endorsements, { now, anchors: plain.anchors, minTcbEvaluationDataNumber: 'any' })
  await at(NOW)
  assert.equal((await refusal(at(later(31)))).code, 'crl-expired')
  assert.equal((await refusal(at(later(-0.9)))).code, 'crl-not-yet-valid')
  await at(NOW)
})

test('of several TCB infos the one in its window with the highest evaluation number counts', async () => {
  const quote = parse(plain.tdxQuote({ reportData: REPORT_DATA }))
  const all = [-40, 0, 20].flatMap(days => plain.endorsementsAt(later(days)))
  const { claims } = await verify(quote, readEndorsements(all), {
    now: NOW,
    anchors: plain.anchors,
    minTcbEvaluationDataNumber: 20,
  })
  assert.equal(claims.tcbStatus, 'UpToDate')
})

test('the higher evaluation number counts before the later date', async () => {
  const { settings, ...rest } = plain.toJSON()
  const stored = { ...rest, settings: { ...settings, tcbEvaluationDataNumber: 30 } }
  const newer = await intelPlatformFromJSON(stored, { now: later(-2) })
  const { claims } = await verify(
    parse(plain.tdxQuote({ reportData: REPORT_DATA })),
    readEndorsements([...plain.endorsements, ...newer.endorsements]),
    { now: NOW, anchors: plain.anchors, minTcbEvaluationDataNumber: 30 },
  )
  assert.equal(claims.tcbEvaluationDataNumber, 30)
})

for (const [what, statuses] of Object.entries({
  'quoting enclave': { qe: { status: 'OutOfDate', advisoryIds: [] } },
  'TDX module': { module: { status: 'OutOfDate', advisoryIds: [] } },
} as const)) {
  test(`an out-of-date ${what} makes the whole out of date`, async () => {
    assert.equal((await verifyGiven({ options: { statuses } })).claims.tcbStatus, 'OutOfDate')
  })
}

test('a QE report that says more than the hash that binds is refused', async () => {
  const parsed = parse(plain.tdxQuote({ reportData: REPORT_DATA }))
  assert.ok(parsed.kind === 'tdx')
  const binding = createHash('sha256')
    .update(parsed.attestationKey)
    .update(parsed.qeAuthenticationData)
    .digest()
  const reportData = concat(binding, new Uint8Array(32))
  await verifyGiven({ tdx: { qeReport: { reportData } } })
  reportData[63] = 1
  const found = await refusal(verifyGiven({ tdx: { qeReport: { reportData } } }))
  assert.equal(found.code, 'qe-binding-mismatch')
})

test('what was not signed by the TCB signing key of the root is no endorsement, whoever else signed it', async () => {
  const { keys } = plain.toJSON()
  const source = (name: string): Uint8Array =>
    plain.endorsements.find(it => it.name === name)?.bytes ?? assert.fail(name)
  const [signing] = readPem(new TextDecoder().decode(source('tcb-signing-chain.pem')))
  const [intermediate] = readPem(new TextDecoder().decode(source('pck-crl-issuer-chain.pem')))
  assert.ok(signing && intermediate)
  const authority = parseCertificate(intermediate.der)
  // The same key, certified by the authority of PCKs instead of the root.
  const forged = reissue(signing.der, privateKey(keys.intermediate), {
    issuer: Uint8Array.from(Buffer.from(authority.subject, 'hex')),
  })
  const rest = plain.endorsements.filter(({ name }) => name !== 'tcb-signing-chain.pem')
  const endorsements = readEndorsements([...rest, { name: 'forged', bytes: forged }])
  const found = await refusal(
    verify(parse(plain.tdxQuote({ reportData: REPORT_DATA })), endorsements, {
      now: NOW,
      anchors: plain.anchors,
      minTcbEvaluationDataNumber: 'any',
    }),
  )
  assert.equal(found.code, 'certificate-usage-invalid', found.message)
  assert.equal(found.steps.at(-1)?.name, 'pck-revocation')
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

test('what is remembered of a machine is believed of the same octets only', async () => {
  const parsed = parse(plain.tdxQuote({ reportData: REPORT_DATA }))
  assert.ok(parsed.kind === 'tdx')
  const bag = readEndorsements(plain.endorsements)
  const codeOf = (changes: Partial<TdxQuote>): Promise<string | null> =>
    verify({ ...parsed, ...changes }, bag, {
      now: NOW,
      anchors: plain.anchors,
      minTcbEvaluationDataNumber: 'any',
    }).then(
      () => null,
      (error: unknown) => (error instanceof Refusal ? error.code : Promise.reject(error)),
    )
  const flipped = (bytes: Uint8Array, at = bytes.length - 1): Uint8Array =>
    bytes.map((octet, index) => (index === at ? octet ^ 1 : octet))
  assert.equal(await codeOf({}), null)
  for (const [changes, code] of [
    [{ attestationKey: flipped(parsed.attestationKey) }, 'qe-binding-mismatch'],
    [{ qeAuthenticationData: flipped(parsed.qeAuthenticationData) }, 'qe-binding-mismatch'],
    [{ qeReportSignature: flipped(parsed.qeReportSignature) }, 'qe-report-signature-invalid'],
    [{ certificationType: 3 }, 'chain-incomplete'],
    [{ certificationData: flipped(parsed.certificationData, 100) }, 'certificate-signature-invalid'],
    [
      { qeReport: { ...parsed.qeReport, bytes: flipped(parsed.qeReport.bytes, 0) } },
      'qe-report-signature-invalid',
    ],
  ] as const) {
    const found = await codeOf(changes)
    const isOther = code === 'certificate-signature-invalid' && found === 'certificate-malformed'
    assert.ok(found === code || isOther, `${Object.keys(changes)[0]}: ${found}`)
    assert.equal(await codeOf({}), null)
  }
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

test('what is remembered of a machine does not change with the arrays that it came in', async () => {
  const parsed = parse(plain.tdxQuote({ reportData: REPORT_DATA }))
  assert.ok(parsed.kind === 'tdx')
  const genuine = structuredClone(parsed)
  const bag = readEndorsements(plain.endorsements)
  const options = { now: NOW, anchors: plain.anchors, minTcbEvaluationDataNumber: 'any' } as const
  await verify(parsed, bag, options)
  parsed.attestationKey[0] = (parsed.attestationKey[0] ?? 0) ^ 1
  assert.equal((await refusal(verify(parsed, bag, options))).code, 'qe-binding-mismatch')
  await verify(genuine, bag, options)
})

test('claims hold every field of the quote as the wire has it', async () => {
  const { claims } = await verifyGiven({
    sgx: {
      mrEnclave: new Uint8Array(32).fill(0xab),
      configId: new Uint8Array(64).fill(0xcd),
      isvProdId: 0x0102,
      isvSvn: 3,
    },
  })
  assert.ok(claims.kind === 'sgx')
  assert.equal(claims.measurement, 'ab'.repeat(32))
  assert.equal(claims.hostData, 'cd'.repeat(64))
  assert.equal(claims.sgx.isvProdId, 0x0102)
  assert.equal(claims.sgx.isvSvn, 3)
  assert.equal(claims.reportData, toHex(REPORT_DATA))
  const td = await verifyGiven({
    tdx: { mrOwner: new Uint8Array(48).fill(1), rtmr3: new Uint8Array(48).fill(9) },
  })
  assert.ok(td.claims.kind === 'tdx')
  assert.equal(td.claims.signer, '01'.repeat(48))
  assert.equal(td.claims.tdx.rtmr3, '09'.repeat(48))
  assert.equal(td.claims.tdx.attributes.septVeDisable, true)
})

test('a body with migration fields has every one of them as a claim, by its place in the body', async () => {
  const body = Uint8Array.from({ length: 885 }, (_, index) => index & 0xff)
  const at = (start: number, end: number): Uint8Array => body.subarray(start, end)
  const fields = {
    tdId: at(649, 681),
    devInfo: at(681, 729),
    initServiceTdHash: at(729, 777),
    initServiceTdAttributes: at(777, 785),
    initCpuSvn: at(785, 801),
    initTeeTcbSvn: at(801, 817),
    initTeeFmspc: at(817, 829),
    currentServiceTdHash: at(829, 877),
    currentServiceTdAttributes: at(877, 885),
  }
  const quote = plain.tdxQuote({ reportData: REPORT_DATA, format: 'v5-1.5-migration', vmId: 5, ...fields })
  assert.deepEqual(quote.slice(54 + 649, 54 + 885), at(649, 885))
  assert.equal(quote[54 + 648], 5)
  const { claims } = await verifyGiven({ tdx: { format: 'v5-1.5-migration', vmId: 5, ...fields } })
  assert.ok(claims.kind === 'tdx')
  assert.equal(claims.tdx.bodyVersion, '1.5-migration')
  const hex = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, toHex(value)]))
  assert.deepEqual(claims.tdx.migration, { vmId: 5, ...hex })
})

test('what the PCK certificate says of its platform is a claim, and null where the Processor CA issued it', async () => {
  const of = async (options: IntelPlatformOptions) => {
    const { claims } = await verifyGiven({ options })
    assert.ok(claims.kind === 'tdx')
    const { sgxType, platformInstanceId, dynamicPlatform, cachedKeys, smtEnabled } = claims.platform
    return [sgxType, platformInstanceId, dynamicPlatform, cachedKeys, smtEnabled]
  }
  const platformInstanceId = '0102030405060708090a0b0c0d0e0f10'
  assert.deepEqual(await of({ platformInstanceId }), ['scalable', platformInstanceId, true, true, true])
  for (const [index, flag] of (['dynamicPlatform', 'cachedKeys', 'smtEnabled'] as const).entries()) {
    const [, , ...flags] = await of({ [flag]: false })
    assert.deepEqual(
      flags,
      [0, 1, 2].map(at => at !== index),
    )
  }
  assert.deepEqual(await of({ pckCa: 'processor' }), ['standard', null, null, null, null])
})
