// What has to be compared before it is known which code runs (decision 33). A measurement, or the key that signed the code,
// is what other code cannot have. Registers of a TD alone are the word of firmware that nobody knows, and firmware
// alone loads any kernel.

import type { Kind } from '@casemate/evidence'
import { type CodeKnownBy, SIGNED_CODE_HINT, type Way } from './kinds/kind.ts'
import { ALL_WAYS, appraisedKind } from './kinds/kinds.ts'
import type { Workload } from './workload-fields.ts'

/** Claims may be of any shape. */
const waysOf = (kind: Kind): readonly Way[] => appraisedKind(kind)?.ways ?? []

const ANCHORS: ReadonlySet<string> = new Set(ALL_WAYS.map(({ anchor }) => anchor))
const ZEROS = /^0{64,}$/

/** Whether an expectation that is met says which code or key it is. */
export function isIdentifying(path: string, expected: unknown): boolean {
  const isZero = (value: unknown): boolean => typeof value === 'string' && ZEROS.test(value)
  return !(ANCHORS.has(path) && Array.isArray(expected) && expected.some(isZero))
}

/** What is known once the expectations at these paths are met. */
export function codeKnownBy(kind: Kind, compared: ReadonlySet<string>): CodeKnownBy {
  const found = waysOf(kind).find(({ anchor, also }) => [anchor, ...also].every(path => compared.has(path)))
  return found?.by ?? 'nothing'
}

/** Known well enough to be relied upon. */
export function isCodeKnown(by: CodeKnownBy): boolean {
  return by === 'measurement' || by === 'signer'
}

/** Fields of a reference value that have to be stated as well, and why, for a person. */
export function lackOfCode(
  kind: Kind,
  compared: ReadonlySet<string>,
): { readonly open: string; readonly hint: string } {
  const [strongest] = waysOf(kind)
  const wanted = strongest === undefined ? [] : [strongest.anchor, ...strongest.also]
  const open = wanted.filter(path => !compared.has(path)).map(path => path.replace(/^.*\./, ''))
  return { open: open.join(' and '), hint: appraisedKind(kind)?.lackHint(compared) ?? SIGNED_CODE_HINT }
}

/** What a workload states that can say which code it is, by paths of the policy. */
export function identifyingPaths(workload: Workload): readonly string[] {
  return Object.entries(workload)
    .filter(([name, value]) => value !== 'any' && isIdentifying(`${workload.kind}.${name}`, value))
    .map(([name]) => `${workload.kind}.${name}`)
}

/** What a reference value leaves open where no policy names it either, and why that matters; null for one that says enough. */
export function leftOpen(workload: Workload): { readonly open: string; readonly hint: string } | null {
  const { kind } = workload
  const compared = new Set(identifyingPaths(workload))
  return isCodeKnown(codeKnownBy(kind, compared)) ? null : lackOfCode(kind, compared)
}
