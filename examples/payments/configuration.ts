// This is measured beside the enclave's code: its limits, the score from which a name is a hit, and how much it
// remembers. Whoever trusts the measurement trusts these.
import { join } from 'node:path'
import type { BuildOptions } from '@casemate/enclave'

export const ENTRY = join(import.meta.dirname, 'assembly', 'enclave.ts')

/** In the currency. */
export interface Limit {
  readonly perPayment: string
  readonly perDay: string
}

export interface Rules {
  readonly limits: Readonly<Record<string, Limit>>
  /** Percent. */
  readonly threshold: number
  /** Payments, a power of two; a quarter stays free. */
  readonly remembered: number
}

const MILLIONS: Limit = { perPayment: '1000000', perDay: '5000000' }

export const DEFAULT_RULES: Rules = {
  limits: {
    EUR: MILLIONS,
    USD: MILLIONS,
    GBP: MILLIONS,
    CHF: MILLIONS,
    SGD: MILLIONS,
    KWD: MILLIONS,
    SEK: { perPayment: '10000000', perDay: '50000000' },
    JPY: { perPayment: '150000000', perDay: '750000000' },
  },
  threshold: 82,
  remembered: 2 ** 20,
}

const ENTRY_BYTES = 64
const PAGE = 65_536
/** The list's index, debtors, buffers and frames. */
const OTHER_PAGES = 2_560

export function buildOptions(rules: Rules = DEFAULT_RULES, entry = ENTRY): BuildOptions {
  const limits = Object.entries(rules.limits).map(
    ([currency, { perPayment, perDay }]) => `${currency} ${perPayment} ${perDay}`,
  )
  return {
    entry,
    name: 'payments',
    threads: 1,
    memoryPages: OTHER_PAGES + (rules.remembered * ENTRY_BYTES) / PAGE,
    configuration: {
      limits: limits.join(', '),
      remembered: String(rules.remembered),
      threshold: String(rules.threshold),
    },
  }
}
