// These rules are measured beside the enclave's code: whoever trusts the measurement trusts them.
import { join } from 'node:path'

export const ENTRY = join(import.meta.dirname, 'assembly', 'enclave.ts')

/** For which data an enclave is. */
export interface Purpose {
  readonly cohort: string
  readonly score: string
}

export interface Rules {
  /** Whether weights of A/T and C/G variants count: on the other strand they look the same. */
  readonly strandAmbiguous: 'drop' | 'keep'
  /** A score of fewer variants would tell too much of each. */
  readonly minimumVariants: number
  readonly minimumPeople: number
  /** The largest share of one weight in the absolute sum of all. */
  readonly maximumSharePercent: number
  /** The largest share of a person’s calls that may be missing. */
  readonly maximumMissingPercent: number
}

export const DEFAULT_RULES: Rules = {
  strandAmbiguous: 'drop',
  minimumVariants: 100,
  minimumPeople: 100,
  maximumSharePercent: 5,
  maximumMissingPercent: 10,
}

/** Settings of the manifest. */
export function configurationOf(purpose: Purpose, rules: Partial<Rules> = {}): Record<string, string> {
  const all = { ...purpose, ...DEFAULT_RULES, ...rules }
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, String(value)]))
}
