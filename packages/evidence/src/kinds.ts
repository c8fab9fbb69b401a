// The kinds of evidence, each by its name and its folder. What depends on the kind is asked of its row here and named
// nowhere else (test/places.test.ts).

import { SNP, SNP_REPORT } from './amd/kind.ts'
import { INTEL_QUOTE, SGX, TDX } from './intel/kind.ts'
import type { EvidenceKind } from './kind.ts'
import { SAMPLE } from './sample/kind.ts'

/** `sample` is the Confidential Containers test attester, which nothing signs. */
export const EVIDENCE_KINDS = { sgx: SGX, tdx: TDX, snp: SNP, sample: SAMPLE } as const

/** What evidence can be as bytes alone. */
export const BINARY_FORMATS = [INTEL_QUOTE, SNP_REPORT] as const

type Table = typeof EVIDENCE_KINDS
export type Kind = keyof Table
export const KINDS: readonly [Kind, ...Kind[]] = Object.keys(EVIDENCE_KINDS) as [Kind, ...Kind[]]

/** Evidence of a kind, UNVERIFIED. */
export type EvidenceOf<K extends Kind> = ReturnType<Table[K]['parseKbs']>
/** What verified evidence of a kind can say. */
export type ClaimsOf<K extends Kind> = Awaited<ReturnType<Table[K]['verify']>>['claims']

/** Kinds that are known by bytes alone, as machines give them. */
export type BinaryKind = ReturnType<(typeof BINARY_FORMATS)[number]['parse']>['kind']

/** Evidence of any kind, UNVERIFIED. */
export type ParsedEvidence = { [K in Kind]: EvidenceOf<K> }[Kind]
/** Everything that verified evidence can say. */
export type Claims = { [K in Kind]: ClaimsOf<K> }[Kind]

/** The row of this evidence, or of these claims. */
export function kindOf({ kind }: { readonly kind: Kind }): EvidenceKind<ParsedEvidence, Claims> {
  return EVIDENCE_KINDS[kind]
}
