// ATTESTATION_REPORT, versions 2 to 5 (AMD 56860, SEV Secure Nested Paging Firmware ABI, 7.3), and TCB_VERSION.

import type { SnpTcb } from '@casemate/evidence'
import { Layout } from '../layout.ts'

export type SnpProduct = 'Milan' | 'Genoa' | 'Turin'

export const SIGNATURE_ALGORITHM_ECDSA_P384 = 1
/** The signature covers everything before it. */
export const SIGNED_BYTES = 0x2a0

/** 1,184 bytes. CPUID fields are of version 3, mitigation vectors of version 5; before, they are reserved. */
export const SNP_REPORT = new Layout('SNP report', {
  version: 4,
  guestSvn: 4,
  policy: 8,
  familyId: 16,
  imageId: 16,
  vmpl: 4,
  signatureAlgorithm: 4,
  currentTcb: 8,
  platformInfo: 8,
  keyInfo: 4,
  reserved0: 4,
  reportData: 64,
  measurement: 48,
  hostData: 32,
  idKeyDigest: 48,
  authorKeyDigest: 48,
  reportId: 32,
  reportIdMa: 32,
  reportedTcb: 8,
  cpuidFamily: 1,
  cpuidModel: 1,
  cpuidStepping: 1,
  reserved1: 21,
  chipId: 64,
  committedTcb: 8,
  currentBuild: 1,
  currentMinor: 1,
  currentMajor: 1,
  reserved2: 1,
  committedBuild: 1,
  committedMinor: 1,
  committedMajor: 1,
  reserved3: 1,
  launchTcb: 8,
  launchMitVector: 8,
  currentMitVector: 8,
  reserved4: 152,
  signatureR: 72,
  signatureS: 72,
  reserved5: 368,
})

export type SnpReportField = typeof SNP_REPORT extends Layout<infer Name> ? Name : never

/** Which byte of TCB_VERSION holds which component; Turin put the FMC in front. */
const TCB_LAYOUTS = {
  beforeTurin: new Layout('TCB_VERSION', { bootloader: 1, tee: 1, reserved: 4, snp: 1, microcode: 1 }),
  turin: new Layout('TCB_VERSION', { fmc: 1, bootloader: 1, tee: 1, snp: 1, reserved: 3, microcode: 1 }),
} as const

/** 8 bytes. */
export function encodeTcb(product: SnpProduct, { fmc, ...components }: SnpTcb): Uint8Array {
  return product === 'Turin'
    ? TCB_LAYOUTS.turin.write({ fmc: fmc ?? 0, ...components })
    : TCB_LAYOUTS.beforeTurin.write(components)
}

/** CPUID family, model and stepping of each product’s B-step server parts. */
export const CPUID: Readonly<Record<SnpProduct, readonly [family: number, model: number, stepping: number]>> =
  {
    Milan: [0x19, 0x01, 0x01],
    Genoa: [0x19, 0x11, 0x01],
    Turin: [0x1a, 0x02, 0x01],
  }

/** The size of a chip id as VCEK certificates carry it; in a report it is padded to 64 bytes. */
export const HARDWARE_ID_BYTES: Readonly<Record<SnpProduct, number>> = { Milan: 64, Genoa: 64, Turin: 8 }
