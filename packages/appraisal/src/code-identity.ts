// What has to be compared before it is known which code runs (decision 33). A measurement, or the key that signed the code,
// is what other code cannot have. Registers of a TD alone are the word of firmware that nobody knows, and firmware
// alone loads any kernel.

import type { Kind } from '@casemate/evidence'
import { WORKLOADS, type Workload } from './workload-fields.ts'

/** How it is known which code runs. `firmware`: only what loads it is known; `nothing`: not even that. */
export type CodeKnownBy = 'measurement' | 'signer' | 'firmware' | 'nothing'

interface Way {
  readonly by: CodeKnownBy
  /** Zeros in it say that there is none: no key signed the launch. */
  readonly anchor: string
  readonly also: readonly string[]
}

const way = (by: CodeKnownBy, anchor: string, ...also: readonly string[]): Way => ({ by, anchor, also })

/** By paths of the policy, which reference values name without their kind; the strongest first. */
const WAYS: Readonly<Record<Kind, readonly Way[]>> = {
  sgx: [
    way('measurement', 'sgx.mrEnclave'),
    way('measurement', 'enclave.mrEnclave'),
    way('signer', 'sgx.mrSigner'),
    way('signer', 'enclave.mrSigner'),
  ],
  tdx: [way('measurement', 'tdx.mrTd', 'tdx.rtmr1', 'tdx.rtmr2'), way('firmware', 'tdx.mrTd')],
  snp: [
    way('measurement', 'snp.measurement'),
    way('signer', 'snp.idKeyDigest'),
    way('signer', 'snp.authorKeyDigest'),
  ],
  // Nothing of it is proof, so that no field says more than another.
  sample: WORKLOADS.sample.identifying.map(field => way('measurement', `sample.${field}`)),
}

/** Claims may be of any shape. */
const waysOf = (kind: Kind): readonly Way[] => (Object.hasOwn(WAYS, kind) ? WAYS[kind] : [])

const ANCHORS: ReadonlySet<string> = new Set(
  Object.values(WAYS).flatMap(ways => ways.map(({ anchor }) => anchor)),
)
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
  return { open: open.join(' and '), hint: hintOf(kind, compared.has('tdx.mrTd')) }
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

function hintOf(kind: Kind, isFirmwareKnown: boolean): string {
  if (kind !== 'tdx') return 'zeros say that no key signed it; state a measurement, or the digest of a key'
  return isFirmwareKnown
    ? 'that firmware loads any kernel; state rtmr1 and rtmr2 as well. Where the firmware is all that runs, name it as tdx.mrTd in a policy with workloads: any'
    : 'registers are the word of the firmware, and any firmware can say the same; state mrTd as well, here or as tdx.mrTd in the policy'
}
