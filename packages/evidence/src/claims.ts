// What verified evidence says. Byte fields are lower-case hex in the order of the wire, so that claims are plain
// JSON from here to token, ledger and screen. Field names are the vendors’, in camelCase.

/** The kinds of evidence; `sample` is the Confidential Containers test attester, which nothing signs. */
export const KINDS = ['sgx', 'tdx', 'snp', 'sample'] as const
export type Kind = (typeof KINDS)[number]

/**
 * Intel’s TCB statuses. `TDRelaunch…` is computed, not served: the platform is as new as it can be, and only the TD
 * still runs as it was launched under an older module. SNP evidence has none, see `SnpClaims`.
 */
export const TCB_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'TDRelaunchAdvised',
  'TDRelaunchAdvisedConfigurationNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const
export type TcbStatus = (typeof TCB_STATUSES)[number]

/**
 * When the vendor issued what a verdict rests on, RFC 3339; null for what it does not rest on. The kinds of collateral
 * are those whose issue Intel or AMD repeats: certificates are issued once.
 */
export interface CollateralClaims {
  /** issueDate of Intel’s TCB info. */
  readonly tcbInfo: string | null
  /** issueDate of the quoting enclave’s identity. */
  readonly qeIdentity: string | null
  /** thisUpdate of the list of the authority that issued the PCK certificate. */
  readonly pckCrl: string | null
  /** thisUpdate of the list of Intel’s root. */
  readonly rootCrl: string | null
  /** thisUpdate of the list of AMD’s root. */
  readonly arkCrl: string | null
}

export const NO_COLLATERAL: CollateralClaims = {
  tcbInfo: null,
  qeIdentity: null,
  pckCrl: null,
  rootCrl: null,
  arkCrl: null,
}

/** The view that every kind shares. */
export interface CommonClaims {
  readonly kind: Kind
  /** mrEnclave (32 bytes), mrTd (48) or the SNP launch measurement (48), hex. */
  readonly measurement: string
  /** Who signed the code, hex: mrSigner (SGX, 32 bytes), mrOwner (TDX, 48), idKeyDigest (SNP, 48); null where all zero. */
  readonly signer: string | null
  readonly debug: boolean
  /** The merged status; `null` where the vendor publishes none (SNP, sample). */
  readonly tcbStatus: TcbStatus | null
  /** RFC 3339: the oldest date of all levels that were matched, merged as the status is; null where there is none. */
  readonly tcbDate: string | null
  readonly advisoryIds: readonly string[]
  /** The lowest number of all TCB info and identities used; null where there is none. */
  readonly tcbEvaluationDataNumber: number | null
  readonly collateral: CollateralClaims
  /** 64 bytes, hex. */
  readonly reportData: string
  /** What identifies the machine: PPID (16 bytes) or chip id (64); null where the evidence names none. */
  readonly hardwareId: string | null
  /** The 32 to 64 bytes that bind init-data: MRCONFIGID, HOST_DATA or CONFIGID, hex. */
  readonly hostData: string
  /** True when the chain ends in a simulated root; never mistaken for hardware. */
  readonly simulated: boolean
  /** The enclave that the attested platform says it runs; null where none was stated, see `verifyEnclave`. */
  readonly enclave: EnclaveClaims | null
}

/** An enclave by its SIGSTRUCT (Intel SDM volume 3D, table 38-19), whose signature was verified. */
export interface EnclaveClaims {
  readonly mrEnclave: string
  readonly mrSigner: string
  readonly isvProdId: number
  readonly isvSvn: number
  readonly isvExtProdId: string
  readonly isvFamilyId: string
  /** Its memory can be read: by the processor's word, or by the SIGSTRUCT, unless that insists on the contrary. */
  readonly debug: boolean
  /** The signer's own date, as 2026-11-25. */
  readonly signedOn: string
  /** `host`: the platform measured it, so that this claim is worth what the platform's own measurement is worth. */
  readonly measuredBy: 'processor' | 'host'
  /** TDX: whether RTMR3 shows that the TD stated this enclave when it started; null on other kinds. */
  readonly register: 'extended' | 'not-extended' | null
}

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

/** Security versions of a SEV-SNP platform; `fmc` from Turin on. */
export interface SnpTcb {
  readonly fmc: number | null
  readonly bootloader: number
  readonly tee: number
  readonly snp: number
  readonly microcode: number
}

/** ATTESTATION_REPORT (AMD 56860, table 23 and its successors). */
export interface SnpClaims extends CommonClaims {
  readonly kind: 'snp'
  readonly reportVersion: number
  readonly snp: {
    readonly product: 'Milan' | 'Genoa' | 'Turin'
    readonly guestSvn: number
    readonly policy: {
      readonly abiMajor: number
      readonly abiMinor: number
      readonly smtAllowed: boolean
      readonly migrateMaAllowed: boolean
      readonly debugAllowed: boolean
      readonly singleSocketRequired: boolean
      readonly cxlAllowed: boolean
      readonly memAes256XtsRequired: boolean
      readonly raplDisabled: boolean
      readonly ciphertextHidingRequired: boolean
      readonly pageSwapDisabled: boolean
    }
    readonly familyId: string
    readonly imageId: string
    readonly vmpl: number
    readonly platformInfo: {
      readonly smtEnabled: boolean
      readonly tsmeEnabled: boolean
      readonly eccEnabled: boolean
      readonly raplDisabled: boolean
      readonly ciphertextHidingEnabled: boolean
      readonly aliasCheckComplete: boolean
      readonly tioEnabled: boolean
    }
    /** All of PLATFORM_INFO, 16 hex digits: firmware sets bits that have no name yet. */
    readonly platformInfoBits: string
    readonly authorKeyEnabled: boolean
    readonly maskChipKey: boolean
    readonly signingKey: 'VCEK' | 'VLEK'
    readonly measurement: string
    readonly hostData: string
    readonly idKeyDigest: string
    readonly authorKeyDigest: string
    readonly reportId: string
    readonly reportIdMa: string
    readonly chipId: string
    /** Where `hardwareId` is from: CHIP_ID, or the VCEK where that is masked; null where neither names a chip. */
    readonly hardwareIdSource: 'report' | 'vcek' | null
    readonly currentTcb: SnpTcb
    readonly reportedTcb: SnpTcb
    readonly committedTcb: SnpTcb
    readonly launchTcb: SnpTcb
    readonly currentVersion: string
    readonly committedVersion: string
    /** CPUID family, model and stepping; null before report version 3. */
    readonly cpuid: { readonly family: number; readonly model: number; readonly stepping: number } | null
    /** Cloud provider id of a VLEK; null for a VCEK. */
    readonly cspId: string | null
    /** Mitigation vectors, 16 hex digits; null before report version 5. */
    readonly launchMitVector: string | null
    readonly currentMitVector: string | null
    /**
     * Whether a revocation list of the root was supplied and vouches for the chain; verification alone does not demand
     * one. `outside-window`: one was, and does not cover the time.
     */
    readonly revocation: 'checked' | 'outside-window' | 'not-supplied'
  }
}

/** The unsigned claims of the Confidential Containers sample attester. */
export interface SampleClaims extends CommonClaims {
  readonly kind: 'sample'
  readonly simulated: true
  readonly sample: {
    readonly svn: string
    /** What the sample verifier of Confidential Containers says of every sample, and policies made for it compare. */
    readonly launchDigest: string
    readonly platformVersion: { readonly major: number; readonly minor: number }
  }
}

/** Everything verified evidence can say. */
export type Claims = SgxClaims | TdxClaims | SnpClaims | SampleClaims
