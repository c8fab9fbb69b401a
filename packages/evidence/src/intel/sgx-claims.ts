// What a verified SGX quote says, and the types of that for rules.

import type { CommonClaims } from '../claims.ts'
import type { OwnFieldsOf } from '../field-types.ts'
import { type IntelPlatformClaims, QUOTE_FIELDS } from './claims.ts'

/** SGX_REPORT_BODY, field by field (Intel SGX ECDSA QuoteLibReference, A.4). */
export interface SgxClaims extends CommonClaims {
  readonly kind: 'sgx'
  readonly quoteVersion: number
  readonly sgx: {
    readonly cpuSvn: string
    readonly miscSelect: string
    readonly isvExtProdId: string
    readonly attributesFlags: string
    readonly attributesXfrm: string
    readonly mrEnclave: string
    readonly mrSigner: string
    readonly configId: string
    readonly isvProdId: number
    readonly isvSvn: number
    readonly configSvn: number
    readonly isvFamilyId: string
  }
  readonly platform: IntelPlatformClaims
}

export const SGX_FIELDS = {
  ...QUOTE_FIELDS,
  sgx: {
    cpuSvn: 'string',
    miscSelect: 'string',
    isvExtProdId: 'string',
    attributesFlags: 'string',
    attributesXfrm: 'string',
    mrEnclave: 'string',
    mrSigner: 'string',
    configId: 'string',
    isvProdId: 'int',
    isvSvn: 'int',
    configSvn: 'int',
    isvFamilyId: 'string',
  },
} as const satisfies OwnFieldsOf<SgxClaims>
