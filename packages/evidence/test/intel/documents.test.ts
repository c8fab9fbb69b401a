// Intel's signed documents, TCB info and QE identity: there, signed by the right key, in their windows, of an
// evaluation that is new enough.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intelPlatformFromJSON } from '@casemate/simulator'
import { parse, readEndorsements, type Verified, verify } from '../../src/index.ts'
import { parseCertificate, readPem } from '../../src/x509.ts'
import { refusal } from '../expect-refusal.ts'
import { privateKey, reissue } from '../reissue.ts'
import {
  accepted,
  certificate,
  crl,
  document,
  edited,
  type Given,
  later,
  NOW,
  plain,
  REPORT_DATA,
  refused,
  verifyGiven,
} from './isolated.ts'

accepted({
  'an SGX quote with TCB info of version 2': { sgx: {}, options: { sgxTcbInfoVersion: 2 } },
  'the last moment of TCB info': document('tdxTcbInfo', { nextUpdate: NOW }),
  'the minimum evaluation number itself': { minimum: 20 },
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
