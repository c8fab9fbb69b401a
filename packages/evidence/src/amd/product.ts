// The processor families that attest with SEV-SNP, by CPUID (AMD 56860, ATTESTATION_REPORT; 57230, KDS product
// names), and the two layouts of TCB_VERSION: Milan and Genoa, and Turin, which inserts the FMC.

import { Refusal } from '../refusal.ts'
import type { SnpTcb } from './claims.ts'

export const SNP_PRODUCTS = ['Milan', 'Genoa', 'Turin'] as const
export type SnpProduct = (typeof SNP_PRODUCTS)[number]

export interface SnpCpuid {
  readonly family: number
  readonly model: number
  readonly stepping: number
}

interface ModelRange<Name> {
  readonly product: Name
  readonly family: number
  readonly from: number
  readonly to: number
}

// Combined (base + extended) family and model. Bergamo and Siena (A0h–AFh) have Genoa’s root.
const MODELS: readonly ModelRange<SnpProduct>[] = [
  { product: 'Milan', family: 0x19, from: 0x00, to: 0x0f },
  { product: 'Genoa', family: 0x19, from: 0x10, to: 0x1f },
  { product: 'Genoa', family: 0x19, from: 0xa0, to: 0xaf },
  { product: 'Turin', family: 0x1a, from: 0x00, to: 0x11 },
]

/** Products whose root is not pinned here: to call them by their name is all that is done with them. */
const UNPINNED: readonly ModelRange<string>[] = [
  { product: 'Venice', family: 0x1a, from: 0x50, to: 0x57 },
  { product: 'Venice', family: 0x1a, from: 0x90, to: 0xaf },
  { product: 'Venice', family: 0x1a, from: 0xc0, to: 0xc7 },
]

/** The product of a CPUID family and model; null for one that no pinned root covers. */
export function productOfCpuid(cpuid: SnpCpuid): SnpProduct | null {
  return inRange(MODELS, cpuid)
}

/** A CPUID for a person, with the product’s name where it has one that is known, e.g. `Venice (CPUID family 26, …)`. */
export function describeCpuid(cpuid: SnpCpuid): string {
  const { family, model, stepping } = cpuid
  const numbers = `CPUID family ${family}, model ${model}, stepping ${stepping}`
  const name = inRange<string>(MODELS, cpuid) ?? inRange(UNPINNED, cpuid)
  return name === null ? numbers : `${name} (${numbers})`
}

function inRange<Name>(ranges: readonly ModelRange<Name>[], { family, model }: SnpCpuid): Name | null {
  return ranges.find(it => it.family === family && it.from <= model && model <= it.to)?.product ?? null
}

/** The product in a vendor’s name for it, as in `Milan-B0`, `ARK-Genoa`, `SEV-VLEK-Turin`; null where there is none. */
export function productInName(name: string): SnpProduct | null {
  const words = name.split('-')
  return SNP_PRODUCTS.find(product => words.includes(product)) ?? null
}

type Component = keyof SnpTcb

// Byte offsets in the 8-byte TCB_VERSION; every other byte must be zero.
const BEFORE_TURIN: readonly (readonly [Component, number])[] = [
  ['bootloader', 0],
  ['tee', 1],
  ['snp', 6],
  ['microcode', 7],
]
const RESERVED_BEFORE_TURIN = [2, 3, 4, 5] as const
const FROM_TURIN: readonly (readonly [Component, number])[] = [
  ['fmc', 0],
  ['bootloader', 1],
  ['tee', 2],
  ['snp', 3],
  ['microcode', 7],
]
const RESERVED_FROM_TURIN = [4, 5, 6] as const

/**
 * TCB_VERSION (8 bytes) as its product lays it out.
 * @throws {Refusal} `evidence-malformed` where a reserved byte is set.
 */
export function decodeTcb(bytes: Uint8Array, product: SnpProduct): SnpTcb {
  const isTurin = product === 'Turin'
  for (const offset of isTurin ? RESERVED_FROM_TURIN : RESERVED_BEFORE_TURIN) {
    const value = bytes[offset] ?? 0
    if (value === 0) continue
    throw new Refusal('evidence-malformed', `byte ${offset} of a ${product} TCB_VERSION is reserved`, {
      expected: '00',
      got: value.toString(16).padStart(2, '0'),
    })
  }
  const tcb: Record<Component, number | null> = { fmc: null, bootloader: 0, tee: 0, snp: 0, microcode: 0 }
  for (const [component, offset] of isTurin ? FROM_TURIN : BEFORE_TURIN) tcb[component] = bytes[offset] ?? 0
  return tcb as SnpTcb
}

/** The 8 bytes of a TCB_VERSION; the presence of `fmc` chooses the layout. */
export function encodeTcb(tcb: SnpTcb): Uint8Array {
  const bytes = new Uint8Array(8)
  for (const [component, offset] of tcb.fmc === null ? BEFORE_TURIN : FROM_TURIN) {
    bytes[offset] = tcb[component] ?? 0
  }
  return bytes
}

/** True where every component of `lower` is at most that of `upper`: TCBs are only partially ordered. */
export function isTcbAtMost(lower: SnpTcb, upper: SnpTcb): boolean {
  return (
    (lower.fmc ?? 0) <= (upper.fmc ?? 0) &&
    lower.bootloader <= upper.bootloader &&
    lower.tee <= upper.tee &&
    lower.snp <= upper.snp &&
    lower.microcode <= upper.microcode
  )
}

/** Every component in which two TCBs differ, with both values. */
export function differingComponents(
  a: SnpTcb,
  b: SnpTcb,
): readonly { readonly name: Component; readonly a: number; readonly b: number }[] {
  const names = ['fmc', 'bootloader', 'tee', 'snp', 'microcode'] as const
  return names.map(name => ({ name, a: a[name] ?? 0, b: b[name] ?? 0 })).filter(it => it.a !== it.b)
}

/** For a person, e.g. `bootloader 4, tee 0, snp 24, microcode 219`. */
export function describeTcb(tcb: SnpTcb): string {
  const parts = `bootloader ${tcb.bootloader}, tee ${tcb.tee}, snp ${tcb.snp}, microcode ${tcb.microcode}`
  return tcb.fmc === null ? parts : `fmc ${tcb.fmc}, ${parts}`
}
