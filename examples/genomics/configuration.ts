// What is measured of this enclave beside its code: whoever trusts the measurement trusts these rules.
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
  /** What one weight may have of all weights’ absolute sum. */
  readonly maximumSharePercent: number
  /** What may be missing of a person’s calls. */
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
