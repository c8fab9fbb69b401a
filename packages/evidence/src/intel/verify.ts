// Verifies an SGX or TDX quote as Intel's DCAP specification says (Intel DCAP QuoteVerificationLibrary, 4.1.2.4).
// Each check is one step; first what the evidence itself holds, then what Intel says about it now.

import type { TrustAnchor } from '../anchor.ts'
import { toHex } from '../bytes.ts'
import { type Revocation, type VerifiedChain, verifyRevocation } from '../chain.ts'
import type { Crl } from '../crl.ts'
import type { EnclaveIdentity } from '../documents/enclave-identity.ts'
import type { TcbInfo, TcbVerdict } from '../documents/tcb-info.ts'
import type { VerifiedClaims, VerifyOptions } from '../kind.ts'
import { Refusal } from '../refusal.ts'
import { checkSignature, isSignedBy, knownFact } from '../signature.ts'
import type { Step } from '../step.ts'
import { formatTime, recordSteps } from '../steps.ts'
import { type Certificate, describeCertificate } from '../x509.ts'
import { type IntelFindings, sgxClaims, tdxClaims } from './claims-of-quote.ts'
import { findingsOf } from './findings.ts'
import { type PckExtension, readPckExtension } from './pck.ts'
import { verifyPckChain } from './pck-chain.ts'
import { type QeCertification, qeCertificationOf } from './qe-certification.ts'
import { judgeQuotingEnclave } from './qe-identity.ts'
import type { SgxQuote, TdxQuote } from './quote.ts'
import type { TdQuoteBody } from './report-body.ts'
import type { SgxClaims } from './sgx-claims.ts'
import { type EndorsementOptions, type VerifiedEndorsement, verifyEndorsement } from './signed-endorsement.ts'
import { describeShortfalls } from './tcb-shortfall.ts'
import { judgeTdxModule, matchTcbLevels, mergeAll } from './tcb-status.ts'
import type { TdxClaims } from './tdx-claims.ts'

type Quote = SgxQuote | TdxQuote

/** What of the endorsements counts here. */
export interface IntelEndorsements {
  readonly certificates: readonly Certificate[]
  readonly crls: readonly Crl[]
  readonly tcbInfos: readonly TcbInfo[]
  readonly enclaveIdentities: readonly EnclaveIdentity[]
}

/**
 * Verifies an SGX quote at `now`.
 * @throws {Refusal} with the steps that had passed
 */
export function verifySgx(
  quote: SgxQuote,
  endorsements: IntelEndorsements,
  options: VerifyOptions,
): Promise<VerifiedClaims<SgxClaims>> {
  return verifyQuote(quote, endorsements, options, sgxClaims)
}

/**
 * Verifies a TDX quote at `now`.
 * @throws {Refusal} with the steps that had passed
 */
export function verifyTdx(
  quote: TdxQuote,
  endorsements: IntelEndorsements,
  options: VerifyOptions,
): Promise<VerifiedClaims<TdxClaims>> {
  return verifyQuote(quote, endorsements, options, tdxClaims)
}

async function verifyQuote<Q extends Quote, C>(
  quote: Q,
  endorsements: IntelEndorsements,
  options: VerifyOptions,
  claimsOf: (quote: Q, findings: IntelFindings) => C,
): Promise<VerifiedClaims<C>> {
  const { certificates: pool, crls } = endorsements
  const now = options.now.getTime()
  return recordSteps(async steps => {
    const certification = await qeCertificationOf(quote)
    const { chain, pck } = await verifyPlatform(certification, { pool, anchors: options.anchors, now })
    steps.push(chainStep(chain))
    steps.push(await verifyQeReport(certification, chain))
    steps.push(verifyQeBinding(certification, quote))
    steps.push(await verifyQuoteSignature(certification, quote))

    const revocation = await verifyRevocation(chain, { pool, crls, now, required: 'every-issuer' })
    steps.push(revocationStep(revocation))
    const search = endorsementSearch(endorsements, chain, options)
    const identity = await verifyIdentity(quote, endorsements.enclaveIdentities, search)
    steps.push(endorsementStep('qe-identity-signature', identity))
    const qe = judgeQuotingEnclave(quote.qeReport, identity.endorsement)
    steps.push(quotingEnclaveStep(quote, identity.endorsement, qe))
    const info = await verifyTcbInfo(quote, pck, endorsements.tcbInfos, search)
    steps.push(endorsementStep('tcb-info-signature', info, `${tcbInfoFor(quote.kind, pck)}, `))

    const body = quote.kind === 'tdx' ? quote.body : null
    const module = body && judgeTdxModule(info.endorsement, body)
    if (body) steps.push(moduleStep(body, module))
    const levels = matchTcbLevels(info.endorsement, pck, body && body.teeTcbSvn)
    steps.push(levelStep(pck, levels.level))
    const papers = { info: info.endorsement, identity: identity.endorsement }
    const status = mergeAll({ ...papers, ...levels, module, qe }, body && body.teeTcbSvn2)
    const findings = findingsOf({ quote, chain, revocation, pck, ...papers, ...levels, module, qe, status })
    steps.push(statusStep(findings))
    const end = Math.min(chain.validUntil, revocation.validUntil, identity.validUntil, info.validUntil)
    return { claims: claimsOf(quote, findings), steps, validUntil: new Date(end) }
  })
}

interface Platform {
  readonly chain: VerifiedChain
  readonly pck: PckExtension
}

interface PlatformSearch {
  readonly pool: readonly Certificate[]
  /** Of any vendor; Intel's are used. */
  readonly anchors: readonly TrustAnchor[]
  readonly now: number
}

async function verifyPlatform(certification: QeCertification, search: PlatformSearch): Promise<Platform> {
  const anchors = search.anchors.filter(({ vendor }) => vendor === 'intel')
  const chain = await verifyPckChain(certification, { ...search, anchors })
  const [leaf] = chain.certificates
  if (!leaf) throw new Refusal('chain-incomplete', 'the chain has no PCK certificate')
  return { chain, pck: readPckExtension(leaf) }
}

function chainStep({ anchor, certificates, validUntil }: VerifiedChain): Step {
  const names = certificates.map(describeCertificate).join(' ← ')
  const simulated = anchor.simulated ? ' (simulated)' : ''
  return {
    name: 'pck-chain',
    looked: `${names}; root ${anchor.name}${simulated}; valid until ${formatTime(validUntil)}`,
  }
}

async function verifyQeReport({ qeReport }: QeCertification, chain: VerifiedChain): Promise<Step> {
  const [pck] = chain.certificates
  if (!pck || !(knownFact(qeReport, pck.spki) ?? (await isSignedBy(qeReport, pck.spki)))) {
    throw new Refusal('qe-report-signature-invalid', 'the QE report is not signed by the PCK')
  }
  return { name: 'qe-report-signature', looked: `QE report by ${describeCertificate(pck)}` }
}

function verifyQeBinding({ isBound, binding }: QeCertification, { qeReport }: Quote): Step {
  if (!isBound) {
    throw new Refusal(
      'qe-binding-mismatch',
      'the QE report’s REPORTDATA is not the hash of attestation key and authentication data',
      { expected: toHex(binding).padEnd(128, '0'), got: toHex(qeReport.reportData) },
    )
  }
  return {
    name: 'qe-binding',
    looked: 'REPORTDATA of the QE report = SHA-256 of attestation key and authentication data',
  }
}

async function verifyQuoteSignature({ spki }: QeCertification, quote: Quote): Promise<Step> {
  const { signature, signed: message } = quote
  const check = { scheme: 'ecdsa-sha256', encoding: 'p1363', signature, message } as const
  if (!(await checkSignature(spki, check))) {
    throw new Refusal('quote-signature-invalid', 'the quote is not signed by its attestation key')
  }
  return { name: 'quote-signature', looked: 'header and body by the attestation key' }
}

function revocationStep({ validUntil }: Revocation): Step {
  return { name: 'pck-revocation', looked: `PCK CRL and root CA CRL; next update ${formatTime(validUntil)}` }
}

/** The platform's own root is the only one whose word on it counts. */
function endorsementSearch(
  { certificates, crls }: IntelEndorsements,
  { anchor }: VerifiedChain,
  { now, minTcbEvaluationDataNumber }: VerifyOptions,
): EndorsementOptions {
  return { certificates, crls, anchor, now: now.getTime(), minTcbEvaluationDataNumber, signers: new Map() }
}

async function verifyIdentity(
  { kind }: Quote,
  identities: readonly EnclaveIdentity[],
  search: EndorsementOptions,
): Promise<VerifiedEndorsement<EnclaveIdentity>> {
  const id = kind === 'sgx' ? 'QE' : 'TD_QE'
  const candidates = identities.filter(it => it.id === id)
  return verifyEndorsement(`identity of ${id}`, candidates, search)
}

function quotingEnclaveStep({ qeReport }: Quote, { id }: EnclaveIdentity, { status }: TcbVerdict): Step {
  const { isvProdId, isvSvn } = qeReport
  return {
    name: 'qe-identity',
    looked: `${id}: MRSIGNER, ISVPRODID ${isvProdId}, ATTRIBUTES, MISCSELECT; ISVSVN ${isvSvn} is ${status}`,
  }
}

// oxlint-disable-next-line max-params -- the quote, its platform, and where to look for what
async function verifyTcbInfo(
  { kind }: Quote,
  pck: PckExtension,
  infos: readonly TcbInfo[],
  search: EndorsementOptions,
): Promise<VerifiedEndorsement<TcbInfo>> {
  const what = tcbInfoFor(kind, pck)
  const ofFamily = infos.filter(({ tee, fmspc }) => tee === kind && fmspc === pck.fmspc)
  const candidates = ofFamily.filter(({ pceId }) => pceId === pck.pceId)
  const [other] = ofFamily
  if (other && candidates.length === 0) {
    throw new Refusal('pce-mismatch', `the ${what} is for PCE id ${other.pceId}, not ${pck.pceId}`, {
      expected: pck.pceId,
      got: other.pceId,
    })
  }
  return verifyEndorsement(what, candidates, search)
}

function tcbInfoFor(kind: Quote['kind'], { fmspc }: PckExtension): string {
  return `${kind.toUpperCase()} TCB info for FMSPC ${fmspc}`
}

function endorsementStep(
  name: string,
  { endorsement, signer }: VerifiedEndorsement<TcbInfo | EnclaveIdentity>,
  what = '',
): Step {
  const { evaluationNumber, nextUpdate } = endorsement
  const signed = `signed by ${describeCertificate(signer)}`
  return {
    name,
    looked: `${what}evaluation ${evaluationNumber}, next update ${formatTime(nextUpdate)}, ${signed}`,
  }
}

function moduleStep({ teeTcbSvn: [isvSvn, version] }: TdQuoteBody, module: TcbVerdict | null): Step {
  return {
    name: 'tdx-module',
    looked: `version ${version}, SVN ${isvSvn}: MRSIGNERSEAM, SEAMATTRIBUTES; ${module?.status ?? 'judged by the TCB level'}`,
  }
}

function levelStep({ sgxComponents, pceSvn }: PckExtension, { date, status }: TcbVerdict): Step {
  return {
    name: 'tcb-level',
    looked: `CPUSVN ${sgxComponents.join('.')}, PCESVN ${pceSvn}: level of ${date}, ${status}`,
  }
}

function statusStep({ tcbStatus, tcbDate, moduleTcbStatus, platform }: IntelFindings): Step {
  const { platformTcbStatus, qeTcbStatus, tcbShortfalls } = platform
  const short = tcbShortfalls.length === 0 ? '' : `; ${describeShortfalls(tcbShortfalls)}`
  const parts = `platform ${platformTcbStatus}, TDX module ${moduleTcbStatus ?? '–'}, quoting enclave ${qeTcbStatus}`
  return { name: 'tcb-status', looked: `${parts}: ${tcbStatus}; oldest level of ${tcbDate}${short}` }
}
