// What verified evidence of any kind says; what one kind says beside it is in the kind’s folder. Byte fields are lower-case
// hex in the order of the wire, so that claims are plain JSON from here to token, ledger and screen. Field names are
// the vendors’, in camelCase.

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
  /** See kinds.ts. */
  readonly kind: string
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
