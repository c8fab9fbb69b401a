// Verifies an SGX or TDX quote as Intel's DCAP specification says (Intel DCAP QuoteVerificationLibrary, 4.1.2.4).
// Each check is one step; first what the evidence itself holds,
// then what Intel says about it now.

import type { TrustAnchor } from '../anchor.ts'
import { toHex } from '../bytes.ts'
import { type Revocation, type VerifiedChain, verifyRevocation } from '../chain.ts'
import {
  type CollateralClaims,
  type IntelPlatformClaims,
  NO_COLLATERAL,
  type SgxClaims,
  type TcbStatus,
  type TdxClaims,
} from '../claims.ts'
import type { Endorsements } from '../endorsements.ts'
import { Refusal } from '../refusal.ts'
import { checkSignature, isSignedBy, knownFact } from '../signature.ts'
import type { Step } from '../step.ts'
import { formatTime, recordSteps } from '../steps.ts'
import { type Certificate, describeCertificate } from '../x509.ts'
import { type IntelFindings, sgxClaims, tdxClaims } from './claims-of-quote.ts'
import type { EnclaveIdentity } from './enclave-identity.ts'
import { type Machine, machineOf } from './machine.ts'
import { type PckExtension, readPckExtension } from './pck.ts'
import { verifyPckChain } from './pck-chain.ts'
import { judgeQuotingEnclave } from './qe-identity.ts'
import type { SgxQuote, TdxQuote } from './quote.ts'
import { type EndorsementOptions, type VerifiedEndorsement, verifyEndorsement } from './signed-endorsement.ts'
import type { TcbInfo, TcbVerdict } from './tcb-info.ts'
import { describeShortfalls, tcbShortfalls } from './tcb-shortfall.ts'
import { adviseRelaunch, judgeTdxModule, matchTcbLevels, mergeTcbStatus, oldestDate } from './tcb-status.ts'

export interface IntelVerifyOptions {
  readonly now: Date
  /** Of any vendor; Intel's are used. */
  readonly anchors: readonly TrustAnchor[]
  readonly minTcbEvaluationDataNumber: number | 'any'
}

export interface VerifiedIntel {
  readonly claims: SgxClaims | TdxClaims
  readonly steps: readonly Step[]
  readonly validUntil: Date
}

/**
 * Verifies a quote at `now`.
 * @throws {Refusal} with the steps that had passed
 */
export async function verifyIntel(
  quote: SgxQuote | TdxQuote,
  endorsements: Endorsements,
  options: IntelVerifyOptions,
): Promise<VerifiedIntel> {
  const { certificates, crls } = endorsements
  const now = options.now.getTime()
  return recordSteps(async steps => {
    const machine = await machineOf(quote)
    const { chain, pck } = await verifyPlatform(
      machine,
      { certificates, anchors: options.anchors, now },
      steps,
    )
    await verifySignatures({ quote, machine, chain }, steps)
    const context: EndorsementOptions = {
      certificates,
      crls,
      anchor: chain.anchor,
      now,
      minTcbEvaluationDataNumber: options.minTcbEvaluationDataNumber,
      signers: new Map(),
    }
    const revocation = await verifyPckRevocation(chain, context, steps)
    const identity = await verifyIdentity(quote, endorsements.enclaveIdentities, { context, steps })
    const qe = judgeQuotingEnclave(quote.qeReport, identity.endorsement)
    steps.push({
      name: 'qe-identity',
      looked: `${identity.endorsement.id}: MRSIGNER, ISVPRODID ${quote.qeReport.isvProdId}, ATTRIBUTES, MISCSELECT; ISVSVN ${quote.qeReport.isvSvn} is ${qe.status}`,
    })
    const info = await verifyTcbInfo(quote, pck, endorsements.tcbInfos, { context, steps })
    const findings = judge(
      { quote, chain, revocation, pck, info: info.endorsement, identity: identity.endorsement, qe },
      steps,
    )
    const end = Math.min(chain.validUntil, revocation.validUntil, identity.validUntil, info.validUntil)
    const claims = quote.kind === 'sgx' ? sgxClaims(quote, findings) : tdxClaims(quote, findings)
    return { claims, steps, validUntil: new Date(end) }
  })
}

interface Platform {
  readonly chain: VerifiedChain
  readonly pck: PckExtension
}

interface PlatformSearch {
  readonly certificates: readonly Certificate[]
  /** Of any vendor. */
  readonly anchors: readonly TrustAnchor[]
  readonly now: number
}

async function verifyPlatform(
  machine: Machine,
  { certificates: pool, anchors: all, now }: PlatformSearch,
  steps: Step[],
): Promise<Platform> {
  const anchors = all.filter(({ vendor }) => vendor === 'intel')
  const chain = await verifyPckChain(machine, { pool, anchors, now })
  const [leaf] = chain.certificates
  if (!leaf) throw new Refusal('chain-incomplete', 'the chain has no PCK certificate')
  const pck = readPckExtension(leaf)
  const names = chain.certificates.map(describeCertificate).join(' ← ')
  const simulated = chain.anchor.simulated ? ' (simulated)' : ''
  steps.push({
    name: 'pck-chain',
    looked: `${names}; root ${chain.anchor.name}${simulated}; valid until ${formatTime(chain.validUntil)}`,
  })
  return { chain, pck }
}

async function verifyPckRevocation(
  chain: VerifiedChain,
  { certificates: pool, crls, now }: EndorsementOptions,
  steps: Step[],
): Promise<Revocation> {
  const revocation = await verifyRevocation(chain, { pool, crls, now, required: 'every-issuer' })
  steps.push({
    name: 'pck-revocation',
    looked: `PCK CRL and root CA CRL; next update ${formatTime(revocation.validUntil)}`,
  })
  return revocation
}

interface SignedQuote {
  readonly quote: SgxQuote | TdxQuote
  readonly machine: Machine
  readonly chain: VerifiedChain
}

async function verifySignatures({ quote, machine, chain }: SignedQuote, steps: Step[]): Promise<void> {
  const [pck] = chain.certificates
  if (!pck || !(knownFact(machine.qeReport, pck.spki) ?? (await isSignedBy(machine.qeReport, pck.spki)))) {
    throw new Refusal('qe-report-signature-invalid', 'the QE report is not signed by the PCK')
  }
  steps.push({ name: 'qe-report-signature', looked: `QE report by ${describeCertificate(pck)}` })

  if (!machine.isBound) {
    throw new Refusal(
      'qe-binding-mismatch',
      'the QE report’s REPORTDATA is not the hash of attestation key and authentication data',
      { expected: toHex(machine.binding).padEnd(128, '0'), got: toHex(quote.qeReport.reportData) },
    )
  }
  steps.push({
    name: 'qe-binding',
    looked: 'REPORTDATA of the QE report = SHA-256 of attestation key and authentication data',
  })

  const check = {
    scheme: 'ecdsa-sha256',
    encoding: 'p1363',
    signature: quote.signature,
    message: quote.signed,
  } as const
  if (!(await checkSignature(machine.spki, check))) {
    throw new Refusal('quote-signature-invalid', 'the quote is not signed by its attestation key')
  }
  steps.push({ name: 'quote-signature', looked: 'header and body by the attestation key' })
}

interface Search {
  readonly context: EndorsementOptions
  readonly steps: Step[]
}

async function verifyIdentity(
  quote: SgxQuote | TdxQuote,
  identities: readonly EnclaveIdentity[],
  { context, steps }: Search,
): Promise<VerifiedEndorsement<EnclaveIdentity>> {
  const id = quote.kind === 'sgx' ? 'QE' : 'TD_QE'
  const candidates = identities.filter(it => it.id === id)
  const verified = await verifyEndorsement(`identity of ${id}`, candidates, context)
  steps.push({ name: 'qe-identity-signature', looked: describeEndorsement(verified) })
  return verified
}

async function verifyTcbInfo(
  quote: SgxQuote | TdxQuote,
  pck: PckExtension,
  infos: readonly TcbInfo[],
  { context, steps }: Search,
): Promise<VerifiedEndorsement<TcbInfo>> {
  const what = `${quote.kind.toUpperCase()} TCB info for FMSPC ${pck.fmspc}`
  const ofFamily = infos.filter(({ tee, fmspc }) => tee === quote.kind && fmspc === pck.fmspc)
  const candidates = ofFamily.filter(({ pceId }) => pceId === pck.pceId)
  const [other] = ofFamily
  if (other && candidates.length === 0) {
    throw new Refusal('pce-mismatch', `the ${what} is for PCE id ${other.pceId}, not ${pck.pceId}`, {
      expected: pck.pceId,
      got: other.pceId,
    })
  }
  const verified = await verifyEndorsement(what, candidates, context)
  steps.push({ name: 'tcb-info-signature', looked: `${what}, ${describeEndorsement(verified)}` })
  return verified
}

function describeEndorsement({
  endorsement,
  signer,
}: VerifiedEndorsement<TcbInfo | EnclaveIdentity>): string {
  const { evaluationNumber, nextUpdate } = endorsement
  return `evaluation ${evaluationNumber}, next update ${formatTime(nextUpdate)}, signed by ${describeCertificate(signer)}`
}

interface Judgement {
  readonly quote: SgxQuote | TdxQuote
  readonly chain: VerifiedChain
  readonly revocation: Revocation
  readonly pck: PckExtension
  readonly info: TcbInfo
  readonly identity: EnclaveIdentity
  readonly qe: TcbVerdict
}

function judge(judgement: Judgement, steps: Step[]): IntelFindings {
  const { quote, chain, pck, info, identity, qe } = judgement
  const module = quote.kind === 'tdx' ? judgeTdxModule(info, quote.body) : null
  if (quote.kind === 'tdx') {
    const [isvSvn, version] = quote.body.teeTcbSvn
    steps.push({
      name: 'tdx-module',
      looked: `version ${version}, SVN ${isvSvn}: MRSIGNERSEAM, SEAMATTRIBUTES; ${module?.status ?? 'judged by the TCB level'}`,
    })
  }
  const { sgx, level } = matchTcbLevels(info, pck, quote.kind === 'tdx' ? quote.body.teeTcbSvn : null)
  steps.push({
    name: 'tcb-level',
    looked: `CPUSVN ${pck.sgxComponents.join('.')}, PCESVN ${pck.pceSvn}: level of ${level.date}, ${level.status}`,
  })
  const moduleStatus = module?.status ?? null
  const tcbDate = oldestDate(module ? [level, module, qe] : [level, qe])
  const status = mergeAll({
    quote,
    info,
    sgxStatus: sgx.status,
    level: level.status,
    moduleStatus,
    qe: qe.status,
  })
  const shortfalls = tcbShortfalls({ quote, pck, info, identity, level, module, qe })
  const short = shortfalls.length === 0 ? '' : `; ${describeShortfalls(shortfalls)}`
  steps.push({
    name: 'tcb-status',
    looked: `platform ${level.status}, TDX module ${moduleStatus ?? '–'}, quoting enclave ${qe.status}: ${status}; oldest level of ${tcbDate}${short}`,
  })
  return {
    tcbStatus: status,
    tcbDate,
    advisoryIds: [...new Set([level, module, qe].flatMap(verdict => verdict?.advisoryIds ?? []))],
    tcbEvaluationDataNumber: Math.min(info.evaluationNumber, identity.evaluationNumber),
    collateral: collateralOf(judgement),
    moduleTcbStatus: moduleStatus,
    moduleTcbDate: module?.date ?? null,
    simulated: chain.anchor.simulated,
    platform: { ...platformOf(judgement, level), tcbShortfalls: shortfalls },
  }
}

function platformOf(
  { quote, chain, pck, info, identity, qe }: Judgement,
  level: TcbVerdict,
): Omit<IntelPlatformClaims, 'tcbShortfalls'> {
  return {
    fmspc: pck.fmspc,
    pceId: pck.pceId,
    ppid: pck.ppid,
    cpuSvn: pck.sgxComponents,
    pceSvn: pck.pceSvn,
    sgxType: pck.sgxType,
    platformInstanceId: pck.platformInstanceId,
    dynamicPlatform: pck.dynamicPlatform,
    cachedKeys: pck.cachedKeys,
    smtEnabled: pck.smtEnabled,
    pckSerial: chain.certificates[0]?.serial ?? '',
    qeSvn: quote.qeReport.isvSvn,
    qeTcbStatus: qe.status,
    qeTcbDate: qe.date,
    platformTcbStatus: level.status,
    platformTcbDate: level.date,
    tcbInfoEvaluationDataNumber: info.evaluationNumber,
    qeIdentityEvaluationDataNumber: identity.evaluationNumber,
    trailingBytes: quote.trailingBytes,
  }
}

/** The PCK CA issued the leaf’s list, the root all others. */
function collateralOf({ revocation, info, identity }: Judgement): CollateralClaims {
  const [ofPck = null, ofCa = null] = revocation.lists
  return {
    ...NO_COLLATERAL,
    tcbInfo: formatTime(info.issueDate),
    qeIdentity: formatTime(identity.issueDate),
    pckCrl: ofPck && formatTime(ofPck.thisUpdate),
    rootCrl: ofCa && formatTime(ofCa.thisUpdate),
  }
}

interface Statuses {
  readonly quote: SgxQuote | TdxQuote
  readonly info: TcbInfo
  readonly sgxStatus: TcbStatus
  readonly level: TcbStatus
  readonly moduleStatus: TcbStatus | null
  readonly qe: TcbStatus
}

function mergeAll({ quote, info, sgxStatus, level, moduleStatus, qe }: Statuses): TcbStatus {
  let status = mergeTcbStatus(level, moduleStatus)
  const teeTcbSvn2 = quote.kind === 'tdx' ? quote.body.teeTcbSvn2 : null
  if (teeTcbSvn2 && status !== 'Revoked') {
    status = adviseRelaunch(teeTcbSvn2, { info, sgxStatus, tdxStatus: status, moduleStatus, qeStatus: qe })
  }
  return mergeTcbStatus(status, qe)
}
