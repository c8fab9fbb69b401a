// What is shown of SGX and TDX.

import type { SgxClaims, SgxQuote, TdxClaims, TdxQuote } from '@casemate/evidence'
import type { ShownKind } from './shown-kind.ts'

export const SHOWN_SGX: ShownKind<SgxQuote, SgxClaims> = {
  fields: ['mrEnclave', 'mrSigner', 'isvProdId', 'isvSvn', 'configId'],
  stated: ({ body }) => body,
  platform: ({ platform }) => [['FMSPC', platform.fmspc]],
  noHardwareId: 'none',
  hardwareIdNote: () => '',
}

export const SHOWN_TDX: ShownKind<TdxQuote, TdxClaims> = {
  fields: ['mrTd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3', 'mrConfigId', 'mrOwner', 'mrOwnerConfig'],
  stated: ({ body }) => {
    const [rtmr0, rtmr1, rtmr2, rtmr3] = body.rtmrs
    return { ...body, rtmr0, rtmr1, rtmr2, rtmr3 }
  },
  platform: ({ platform }) => [['FMSPC', platform.fmspc]],
  noHardwareId: 'none',
  hardwareIdNote: () => '',
}
