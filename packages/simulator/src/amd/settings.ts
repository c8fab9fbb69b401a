// The settings that distinguish one simulated AMD machine from another, with their defaults; stored with the keys.

import { randomBytes } from 'node:crypto'
import type { SnpTcb } from '@casemate/evidence'
import { type Bytes, toBytes } from '../layout.ts'
import { HARDWARE_ID_BYTES, type SnpProduct } from './structures.ts'

/** AMD’s authorities have RSA-4096 keys; generating one takes about a second. */
export const AUTHORITY_MODULUS_BITS = 4096

/** Versions that each product’s firmware of 2025 reports. */
const TCB: Readonly<Record<SnpProduct, SnpTcb>> = {
  Milan: { fmc: null, bootloader: 4, tee: 0, snp: 24, microcode: 219 },
  Genoa: { fmc: null, bootloader: 10, tee: 0, snp: 23, microcode: 84 },
  Turin: { fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 81 },
}

/** A VLEK certificate names this in place of a chip. */
const CSP_ID = 'CN=casemate-simulated.invalid'

/** `hardwareId` is hex. */
export interface AmdSettings {
  readonly product: SnpProduct
  readonly signingKey: 'VCEK' | 'VLEK'
  /** The chip id: 64 bytes, from Turin on 8. */
  readonly hardwareId: string
  readonly cspId: string
  /** For which TCB the leaf certificate was issued: the reported one. */
  readonly tcb: SnpTcb
}

export interface AmdSettingsOptions {
  /** Default `Milan`. */
  readonly product?: SnpProduct
  /** Default `VCEK`. */
  readonly signingKey?: AmdSettings['signingKey']
  /** Random unless given. */
  readonly hardwareId?: Bytes
  /** Only in a VLEK. */
  readonly cspId?: string
  readonly tcb?: Partial<SnpTcb>
}

/** @throws {TypeError} for a chip id of another size than the product’s */
export function amdSettings(options: AmdSettingsOptions): AmdSettings {
  const product = options.product ?? 'Milan'
  const size = HARDWARE_ID_BYTES[product]
  const hardwareId = toBytes(options.hardwareId ?? randomBytes(size))
  if (hardwareId.length !== size) {
    throw new TypeError(`hardwareId is ${hardwareId.length} bytes, want ${size} for ${product}`)
  }
  return {
    product,
    signingKey: options.signingKey ?? 'VCEK',
    hardwareId: Buffer.from(hardwareId).toString('hex'),
    cspId: options.cspId ?? CSP_ID,
    tcb: { ...TCB[product], ...options.tcb },
  }
}
