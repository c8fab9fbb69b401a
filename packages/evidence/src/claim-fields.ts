// The claims by name and type, as data: what a rule may name, and what a claim is compared with. The compiler holds
// this table to the claims’ own types: a claim that is added, renamed or of another type there does not compile here.

import type { Claims } from './claims.ts'

/** The type of one field; `?` where it may be null. */
export type Field =
  | ScalarField
  | `${ScalarField}?`
  | Fields
  | { readonly orNull: Fields }
  | { readonly listOf: Fields }

type ScalarField = 'string' | 'int' | 'bool' | 'list<string>' | 'list<int>'

export interface Fields {
  readonly [name: string]: Field
}

/** Of a union, the members of every kind. */
type NameOf<U> = U extends unknown ? keyof U : never
type MemberOf<U, K> = U extends unknown ? (K extends keyof U ? U[K] : never) : never

type FieldOf<T> = null extends T ? NullableField<PlainField<NonNullable<T>>> : PlainField<T>
type NullableField<F> = F extends string ? `${F}?` : { readonly orNull: F }

type PlainField<T> = [T] extends [string]
  ? 'string'
  : [T] extends [number]
    ? 'int'
    : [T] extends [boolean]
      ? 'bool'
      : [T] extends [readonly string[]]
        ? 'list<string>'
        : [T] extends [readonly number[]]
          ? 'list<int>'
          : [T] extends [readonly (infer E)[]]
            ? { readonly listOf: FieldsOf<E> }
            : FieldsOf<T>

/** The table that a type of plain data has. */
export type FieldsOf<T> = { readonly [K in keyof T]-?: FieldOf<T[K]> }

type ClaimFields = { readonly [K in NameOf<Claims>]: FieldOf<MemberOf<Claims, K>> }

const SNP_TCB = { fmc: 'int?', bootloader: 'int', tee: 'int', snp: 'int', microcode: 'int' } as const

/** Every claim of every kind of evidence. */
export const CLAIM_FIELDS = {
  kind: 'string',
  measurement: 'string',
  signer: 'string?',
  debug: 'bool',
  tcbStatus: 'string?',
  tcbDate: 'string?',
  advisoryIds: 'list<string>',
  tcbEvaluationDataNumber: 'int?',
  collateral: {
    tcbInfo: 'string?',
    qeIdentity: 'string?',
    pckCrl: 'string?',
    rootCrl: 'string?',
    arkCrl: 'string?',
  },
  reportData: 'string',
  hardwareId: 'string?',
  hostData: 'string',
  simulated: 'bool',
  enclave: {
    orNull: {
      mrEnclave: 'string',
      mrSigner: 'string',
      isvProdId: 'int',
      isvSvn: 'int',
      isvExtProdId: 'string',
      isvFamilyId: 'string',
      debug: 'bool',
      signedOn: 'string',
      measuredBy: 'string',
      register: 'string?',
    },
  },
  quoteVersion: 'int',
  reportVersion: 'int',
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
  snp: {
    product: 'string',
    guestSvn: 'int',
    policy: {
      abiMajor: 'int',
      abiMinor: 'int',
      smtAllowed: 'bool',
      migrateMaAllowed: 'bool',
      debugAllowed: 'bool',
      singleSocketRequired: 'bool',
      cxlAllowed: 'bool',
      memAes256XtsRequired: 'bool',
      raplDisabled: 'bool',
      ciphertextHidingRequired: 'bool',
      pageSwapDisabled: 'bool',
    },
    familyId: 'string',
    imageId: 'string',
    vmpl: 'int',
    platformInfo: {
      smtEnabled: 'bool',
      tsmeEnabled: 'bool',
      eccEnabled: 'bool',
      raplDisabled: 'bool',
      ciphertextHidingEnabled: 'bool',
      aliasCheckComplete: 'bool',
      tioEnabled: 'bool',
    },
    platformInfoBits: 'string',
    authorKeyEnabled: 'bool',
    maskChipKey: 'bool',
    signingKey: 'string',
    measurement: 'string',
    hostData: 'string',
    idKeyDigest: 'string',
    authorKeyDigest: 'string',
    reportId: 'string',
    reportIdMa: 'string',
    chipId: 'string',
    hardwareIdSource: 'string?',
    currentTcb: SNP_TCB,
    reportedTcb: SNP_TCB,
    committedTcb: SNP_TCB,
    launchTcb: SNP_TCB,
    currentVersion: 'string',
    committedVersion: 'string',
    cpuid: { orNull: { family: 'int', model: 'int', stepping: 'int' } },
    cspId: 'string?',
    launchMitVector: 'string?',
    currentMitVector: 'string?',
    revocation: 'string',
  },
  sample: { svn: 'string', launchDigest: 'string', platformVersion: { major: 'int', minor: 'int' } },
} as const satisfies ClaimFields
