// Refusals that say nothing against the evidence: a paper of the vendor's was not at hand, or not for that time. To whoever
// relies on it such evidence is refused like any other; to whoever looks for the reason it is another matter.

import type { RefusalCode } from '@casemate/evidence'

export type Lack = 'missing' | 'window'

const UNDECIDED: ReadonlyMap<string, Lack> = new Map<RefusalCode, Lack>([
  ['crl-missing', 'missing'],
  ['endorsement-missing', 'missing'],
  ['chain-incomplete', 'missing'],
  ['crl-expired', 'window'],
  ['endorsement-expired', 'window'],
  ['certificate-expired', 'window'],
  ['crl-not-yet-valid', 'window'],
  ['endorsement-not-yet-valid', 'window'],
  ['certificate-not-yet-valid', 'window'],
])

/** Whether a refusal says nothing against the evidence. */
export function isUndecided(refusal: { readonly code: string } | null): boolean {
  return refusal !== null && lackOf(refusal.code) !== null
}

/** What was lacking to decide; null where a refusal is a decision. */
export function lackOf(code: string): Lack | null {
  return UNDECIDED.get(code) ?? null
}
