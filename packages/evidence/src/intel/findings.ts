// What verification has found out about an Intel platform, as its claims say it.

import type { Revocation, VerifiedChain } from '../chain.ts'
import { type CollateralClaims, NO_COLLATERAL, type TcbStatus } from '../claims.ts'
import type { EnclaveIdentity } from '../documents/enclave-identity.ts'
import type { TcbInfo, TcbVerdict } from '../documents/tcb-info.ts'
import { formatTime } from '../steps.ts'
import type { IntelPlatformClaims } from './claims.ts'
import type { IntelFindings } from './claims-of-quote.ts'
import type { PckExtension } from './pck.ts'
import type { SgxQuote, TdxQuote } from './quote.ts'
import { tcbShortfalls } from './tcb-shortfall.ts'
import { oldestDate } from './tcb-status.ts'

/** Everything that the verdict rests on. */
export interface Judgement {
  readonly quote: SgxQuote | TdxQuote
  readonly chain: VerifiedChain
  readonly revocation: Revocation
  readonly pck: PckExtension
  readonly info: TcbInfo
  readonly identity: EnclaveIdentity
  readonly qe: TcbVerdict
  /** Null for SGX, and where TCB levels alone judge the TDX module. */
  readonly module: TcbVerdict | null
  readonly level: TcbVerdict
  /** Of all of them, merged. */
  readonly status: TcbStatus
}

export function findingsOf(judgement: Judgement): IntelFindings {
  const { chain, info, identity, qe, module, level, status } = judgement
  return {
    tcbStatus: status,
    tcbDate: oldestDate(module ? [level, module, qe] : [level, qe]),
    advisoryIds: [...new Set([level, module, qe].flatMap(verdict => verdict?.advisoryIds ?? []))],
    tcbEvaluationDataNumber: Math.min(info.evaluationNumber, identity.evaluationNumber),
    collateral: collateralOf(judgement),
    moduleTcbStatus: module?.status ?? null,
    moduleTcbDate: module?.date ?? null,
    simulated: chain.anchor.simulated,
    platform: platformOf(judgement),
  }
}

function platformOf(judgement: Judgement): IntelPlatformClaims {
  const { quote, chain, pck, info, identity, qe, level } = judgement
  return {
    fmspc: pck.fmspc,
    pceId: pck.pceId,
    ppid: pck.ppid,
    // A copy: what was read of the certificate is kept for the next quote.
    cpuSvn: [...pck.sgxComponents],
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
    tcbShortfalls: tcbShortfalls(judgement),
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
