// What tokens say of quotes of SGX and TDX alike, under the names of Confidential Containers' verifiers.

import type { SgxClaims, TdxClaims } from '@casemate/evidence'
import type { TokenObject } from './kind.ts'

/** The vendor id of Intel's quoting enclaves: the only ones whose identity Intel signs, so that no other verifies. */
export const INTEL_VENDOR_ID = '939a7233f79c4ca9940a0db3957f0607'
export const ECDSA_P256 = 2

/** An unsigned integer as hex, least significant byte first. */
export function littleEndian(value: number, bytes: number): string {
  let hex = ''
  for (let index = 0; index < bytes; index++) {
    hex += (Math.floor(value / 2 ** (8 * index)) % 256).toString(16).padStart(2, '0')
  }
  return hex
}

/** Names of Intel's quote verification library; expired collateral never gets as far as a token. */
export function tcb(claims: SgxClaims | TdxClaims): TokenObject {
  const known: Record<string, unknown> = {
    collateral_expiration_status: '0',
    advisory_ids: [...claims.advisoryIds],
  }
  if (claims.tcbStatus !== null) known['tcb_status'] = claims.tcbStatus
  if (claims.tcbDate !== null) known['tcb_date'] = claims.tcbDate
  if (claims.tcbEvaluationDataNumber !== null) known['tcb_eval_num'] = claims.tcbEvaluationDataNumber
  return known
}
