// What a verified TDX quote says, and the types of that for rules.

import type { CommonClaims, TcbStatus } from '../claims.ts'
import type { OwnFieldsOf } from '../field-types.ts'
import { type IntelPlatformClaims, QUOTE_FIELDS } from './claims.ts'

/** TDATTRIBUTES by name (Intel TDX Module ABI, TD attributes): TUD is bits 0 to 7, SEC 8 to 31, OTHER 32 to 63. */
export interface TdAttributes {
  readonly debug: boolean
  /** With `perfProf` and `pmtProf`: the host profiles the TD, which makes it untrusted like DEBUG does. */
  readonly hgsPlusProf: boolean
  readonly perfProf: boolean
  readonly pmtProf: boolean
  readonly icssd: boolean
  /** The TD's service TDs can be bound anew: `migration` then says which it began with, and on what. */
  readonly servtdExt: boolean
  /** Linear address space separation. */
  readonly lass: boolean
  readonly septVeDisable: boolean
  /** A migration TD may export the memory to another host: who that is, MRSERVICETD says in a 1.5 body only. */
  readonly migratable: boolean
  readonly protectionKeys: boolean
  readonly keyLocker: boolean
  /** A TDX Connect provisioning agent. */
  readonly tpa: boolean
  readonly perfmon: boolean
  /** The set bits that have no name here, 8 bytes as hex in the order of the wire. */
  readonly unknownBits: string
}

/** What a body of type 4 says beyond 1.5, hex (sgx_quote_5.h, sgx_report2_body_v1_5_ex_t): never compared with anything. */
export interface TdMigrationClaims {
  readonly vmId: number
  readonly tdId: string
  readonly devInfo: string
  readonly initServiceTdHash: string
  readonly initServiceTdAttributes: string
  readonly initCpuSvn: string
  readonly initTeeTcbSvn: string
  readonly initTeeFmspc: string
  readonly currentServiceTdHash: string
  readonly currentServiceTdAttributes: string
}

/** TD_QUOTE_BODY 1.0 or 1.5 (Intel TDX DCAP Quoting Library API, A.3). */
export interface TdxClaims extends CommonClaims {
  readonly kind: 'tdx'
  readonly quoteVersion: number
  readonly tdx: {
    readonly bodyVersion: '1.0' | '1.5' | '1.5-migration'
    readonly teeTcbSvn: string
    readonly mrSeam: string
    readonly mrSignerSeam: string
    readonly seamAttributes: string
    readonly tdAttributes: string
    readonly xfam: string
    readonly mrTd: string
    readonly mrConfigId: string
    readonly mrOwner: string
    readonly mrOwnerConfig: string
    readonly rtmr0: string
    readonly rtmr1: string
    readonly rtmr2: string
    readonly rtmr3: string
    /** Null in a 1.0 body. */
    readonly teeTcbSvn2: string | null
    /** Null in a 1.0 body. */
    readonly mrServiceTd: string | null
    /** Null in all but a 1.5 body with migration fields. */
    readonly migration: TdMigrationClaims | null
    readonly attributes: TdAttributes
    /** Null where the TCB info lists no module identities. */
    readonly moduleTcbStatus: TcbStatus | null
    /** RFC 3339 date of the level that the TDX module reaches; null where TCB levels alone judge it. */
    readonly moduleTcbDate: string | null
  }
  readonly platform: IntelPlatformClaims
}

export const TDX_FIELDS = {
  ...QUOTE_FIELDS,
  tdx: {
    bodyVersion: 'string',
    teeTcbSvn: 'string',
    mrSeam: 'string',
    mrSignerSeam: 'string',
    seamAttributes: 'string',
    tdAttributes: 'string',
    xfam: 'string',
    mrTd: 'string',
    mrConfigId: 'string',
    mrOwner: 'string',
    mrOwnerConfig: 'string',
    rtmr0: 'string',
    rtmr1: 'string',
    rtmr2: 'string',
    rtmr3: 'string',
    teeTcbSvn2: 'string?',
    mrServiceTd: 'string?',
    migration: {
      orNull: {
        vmId: 'int',
        tdId: 'string',
        devInfo: 'string',
        initServiceTdHash: 'string',
        initServiceTdAttributes: 'string',
        initCpuSvn: 'string',
        initTeeTcbSvn: 'string',
        initTeeFmspc: 'string',
        currentServiceTdHash: 'string',
        currentServiceTdAttributes: 'string',
      },
    },
    attributes: {
      debug: 'bool',
      hgsPlusProf: 'bool',
      perfProf: 'bool',
      pmtProf: 'bool',
      icssd: 'bool',
      servtdExt: 'bool',
      lass: 'bool',
      septVeDisable: 'bool',
      migratable: 'bool',
      protectionKeys: 'bool',
      keyLocker: 'bool',
      tpa: 'bool',
      perfmon: 'bool',
      unknownBits: 'string',
    },
    moduleTcbStatus: 'string?',
    moduleTcbDate: 'string?',
  },
} as const satisfies OwnFieldsOf<TdxClaims>
