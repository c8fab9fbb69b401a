// The kinds of evidence, each with its own part of policies, reference values and tokens.

import type { Claims, ClaimsOf, Kind } from '@casemate/evidence'
import type { Block } from '../block.ts'
import type { AppraisedKind } from './kind.ts'
import { SAMPLE } from './sample/kind.ts'
import { SGX } from './sgx/kind.ts'
import { SNP } from './snp/kind.ts'
import { TDX } from './tdx/kind.ts'

const APPRAISED_KINDS = { sgx: SGX, tdx: TDX, snp: SNP, sample: SAMPLE } as const satisfies {
  readonly [K in Kind]: AppraisedKind<ClaimsOf<K>>
}

type Table = typeof APPRAISED_KINDS

/** What claims of no known kind are taken for: nothing about it can be relied upon. */
export const UNKNOWN_KIND = 'sample' satisfies Kind

/** How a kind is appraised; null for what is none, as claims may be of any shape. */
export function appraisedKind(kind: Kind): AppraisedKind<Claims> | null {
  return Object.hasOwn(APPRAISED_KINDS, kind) ? APPRAISED_KINDS[kind] : null
}

/** Every kind with its row. */
export function eachAppraisedKind(): readonly (readonly [Kind, AppraisedKind<Claims>])[] {
  return Object.entries(APPRAISED_KINDS) as readonly (readonly [Kind, AppraisedKind<Claims>])[]
}

function ofEach(of: (row: AppraisedKind<Claims>) => unknown): Readonly<Record<string, unknown>> {
  const rows = eachAppraisedKind().map(([kind, row]) => [kind, of(row)] as const)
  return Object.fromEntries(rows.filter(([, value]) => value !== null))
}

/** The blocks of a policy, of those kinds that have one. */
export const POLICY_BLOCKS = ofEach(({ policy }) => policy) as {
  readonly [K in Kind as Table[K]['policy'] extends Block ? K : never]: Table[K]['policy']
}

/** The same blocks in the presets. */
export const STRICT_BLOCKS = ofEach(({ presets }) => presets && presets.strict)
export const STANDARD_BLOCKS = ofEach(({ presets }) => presets && presets.standard)

/** Fields of each kind of workload; `identifying` are those of which one at least must be stated. */
export const WORKLOADS = ofEach(({ workload }) => workload) as { readonly [K in Kind]: Table[K]['workload'] }

/** Every way in which code is known. */
export const ALL_WAYS = Object.values(APPRAISED_KINDS).flatMap(({ ways }) => ways)
