// What a verified quote of SGX or TDX says beside the TD’s or the enclave’s own fields: the platform below it, and what
// keeps that from a better status. And the types of that for rules.

import type { TcbStatus } from '../claims.ts'
import type { FieldsOf } from '../field-types.ts'

/** A security version that keeps a part of an Intel platform from the nearest level of a better status. */
export interface TcbShortfall {
  /** `sgx` and `tdx`: components of CPUSVN and TEE_TCB_SVN; `pce`: PCESVN; the others: ISVSVN. */
  readonly part: 'sgx' | 'tdx' | 'pce' | 'tdx-module' | 'qe'
  /** From 1 on, as Intel numbers components; null where there is one version only. */
  readonly index: number | null
  /** Category and type by the TCB info; null where it says none. */
  readonly name: string | null
  readonly got: number
  readonly wanted: number
  /** Of the level that wants it. */
  readonly status: TcbStatus
  readonly date: string
}

/** The platform’s side of an Intel quote. */
export interface IntelPlatformClaims {
  readonly fmspc: string
  readonly pceId: string
  readonly ppid: string
  /** The 16 component SVNs of the PCK certificate. */
  readonly cpuSvn: readonly number[]
  readonly pceSvn: number
  readonly pckSerial: string
  /** `standard`, `scalable` or `scalable-with-integrity`, by the PCK certificate. */
  readonly sgxType: string
  /** Hex; with the three below null where the Processor CA issued the certificate. */
  readonly platformInstanceId: string | null
  readonly dynamicPlatform: boolean | null
  readonly cachedKeys: boolean | null
  readonly smtEnabled: boolean | null
  readonly qeSvn: number
  readonly qeTcbStatus: TcbStatus
  /** RFC 3339 date of the level that the quoting enclave reaches. */
  readonly qeTcbDate: string
  /** Status and date of the platform's own level, before the QE’s and the TDX module’s were merged in. */
  readonly platformTcbStatus: TcbStatus
  readonly platformTcbDate: string
  /** What is short of a better status, part by part, nearest level first; empty where a newer version helps nothing. */
  readonly tcbShortfalls: readonly TcbShortfall[]
  /** Of each of the two: editions of different recoveries can meet, and the lower number is the common claim. */
  readonly tcbInfoEvaluationDataNumber: number
  readonly qeIdentityEvaluationDataNumber: number
  /** Bytes after the signature data; reported, never trusted. */
  readonly trailingBytes: number
}

/** Those of both kinds. */
export const QUOTE_FIELDS = {
  quoteVersion: 'int',
  platform: {
    fmspc: 'string',
    pceId: 'string',
    ppid: 'string',
    cpuSvn: 'list<int>',
    pceSvn: 'int',
    pckSerial: 'string',
    sgxType: 'string',
    platformInstanceId: 'string?',
    dynamicPlatform: 'bool?',
    cachedKeys: 'bool?',
    smtEnabled: 'bool?',
    qeSvn: 'int',
    qeTcbStatus: 'string',
    qeTcbDate: 'string',
    platformTcbStatus: 'string',
    platformTcbDate: 'string',
    tcbShortfalls: {
      listOf: {
        part: 'string',
        index: 'int?',
        name: 'string?',
        got: 'int',
        wanted: 'int',
        status: 'string',
        date: 'string',
      },
    },
    tcbInfoEvaluationDataNumber: 'int',
    qeIdentityEvaluationDataNumber: 'int',
    trailingBytes: 'int',
  },
} as const satisfies FieldsOf<{
  readonly quoteVersion: number
  readonly platform: IntelPlatformClaims
}>
