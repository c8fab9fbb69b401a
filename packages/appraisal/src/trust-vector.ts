// AR4SI trustworthiness vector and tiers (draft-ietf-rats-ar4si, sections 2.3.2 to 2.3.4). The values are the
// draft's, except one of its non-standard range. Claims only ever get worse within an appraisal.

/** The eight trustworthiness claims, in the order in which they are printed. */
export const FACETS = [
  'instance-identity',
  'configuration',
  'executables',
  'file-system',
  'hardware',
  'runtime-opaque',
  'storage-opaque',
  'sourced-data',
] as const
export type Facet = (typeof FACETS)[number]

/** One integer from -128 to 127 each. */
export type TrustVector = { readonly [F in Facet]: number }

/** From best to worst; `none` makes no claim at all. */
export type TrustStatus = 'none' | 'affirming' | 'warning' | 'contraindicated'

/** The values that an appraisal here can assign. */
export const TRUST = {
  noClaim: 0,
  /** instance-identity: on the allow-list. */
  recognisedInstance: 2,
  /** configuration: every setting that the policy states is as stated. */
  approvedConfiguration: 2,
  /** configuration: nothing but the absence of debugging is known. */
  safeConfiguration: 3,
  /** executables: what was loaded at the start is known. */
  approvedBoot: 3,
  /** hardware: genuine, and its firmware is as the policy wants it. */
  genuineHardware: 2,
  /** runtime-opaque: memory is encrypted. */
  encryptedMemory: 2,
  /** Any facet: known weakness that the policy accepts by name. */
  knownWeakness: 32,
  /** executables: measurement not recognised. */
  unrecognisedExecutables: 33,
  /** hardware, non-standard warning: simulated, and the policy accepts simulated evidence. */
  simulatedHardware: -33,
  /** Any facet: recognised, and not acceptable. */
  contraindicated: 96,
  /** hardware, instance-identity: not recognised although it should be. */
  unrecognised: 97,
  /** instance-identity: not bound to this session, so that it proves nothing about who is there. */
  unbound: 99,
} as const

const RANK: Readonly<Record<TrustStatus, number>> = { none: 0, affirming: 1, warning: 2, contraindicated: 3 }

/** The tier of one trustworthiness claim. */
export function tierOf(value: number): TrustStatus {
  if (value >= -1 && value <= 1) return 'none'
  if (value >= -32 && value <= 31) return 'affirming'
  return value >= -96 && value <= 95 ? 'warning' : 'contraindicated'
}

/** The worst tier of a vector; `none` when it makes no claim. */
export function statusOf(vector: TrustVector): TrustStatus {
  let worst: TrustStatus = 'none'
  for (const facet of FACETS) {
    const tier = tierOf(vector[facet])
    if (RANK[tier] > RANK[worst]) worst = tier
  }
  return worst
}

/** The worse of two values; within one tier the standard value that came first stays. */
export function worse(a: number, b: number): number {
  return RANK[tierOf(b)] > RANK[tierOf(a)] ? b : a
}
