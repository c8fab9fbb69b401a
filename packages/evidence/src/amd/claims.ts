// What a verified SEV-SNP report says (AMD 56860), and the types of that for rules.

import type { CommonClaims } from '../claims.ts'
import type { OwnFieldsOf } from '../field-types.ts'

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

const TCB_FIELDS = { fmc: 'int?', bootloader: 'int', tee: 'int', snp: 'int', microcode: 'int' } as const

export const SNP_FIELDS = {
  reportVersion: 'int',
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
    currentTcb: TCB_FIELDS,
    reportedTcb: TCB_FIELDS,
    committedTcb: TCB_FIELDS,
    launchTcb: TCB_FIELDS,
    currentVersion: 'string',
    committedVersion: 'string',
    cpuid: { orNull: { family: 'int', model: 'int', stepping: 'int' } },
    cspId: 'string?',
    launchMitVector: 'string?',
    currentMitVector: 'string?',
    revocation: 'string',
  },
} as const satisfies OwnFieldsOf<SnpClaims>
