// The kinds of evidence on the command line: which can be simulated, the first by default, and what is shown of each.

import type { BinaryKind, Claims, ClaimsOf, EvidenceOf, Kind, ParsedEvidence } from '@casemate/evidence'
import { SHOWN_SGX, SHOWN_TDX } from './intel.ts'
import { SHOWN_SAMPLE } from './sample.ts'
import type { ShownKind } from './shown-kind.ts'
import { SHOWN_SNP } from './snp.ts'

/** Those that can say which enclave runs. */
export const QUOTED_KINDS = ['tdx', 'sgx', 'snp'] as const satisfies readonly BinaryKind[]
export type QuotedKind = (typeof QUOTED_KINDS)[number]
export const DEFAULT_KIND = QUOTED_KINDS[0]
/** All that can be simulated. */
export const SIMULATED_KINDS = [...QUOTED_KINDS, 'sample'] as const satisfies readonly Kind[]

const SHOWN_KINDS: { readonly [K in Kind]: ShownKind<EvidenceOf<K>, ClaimsOf<K>> } = {
  sgx: SHOWN_SGX,
  tdx: SHOWN_TDX,
  snp: SHOWN_SNP,
  sample: SHOWN_SAMPLE,
}

/** What is shown of this evidence, or of these claims. */
export function shownKind(kind: Kind): ShownKind<ParsedEvidence, Claims> {
  return SHOWN_KINDS[kind]
}

/** `tdx (default), sgx or snp`. */
export function kindsToChoose([first, ...others]: readonly [Kind, ...Kind[]]): string {
  return inWords([`${first} (default)`, ...others])
}

/** `sgx, tdx, snp or sample`. */
export function inWords(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
