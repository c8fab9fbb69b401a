// The enclave's rules as the reference takes them.
import type { Rules } from '../../configuration.ts'
import { CURRENCIES } from './codes.ts'
import type { Settings } from './decide.ts'
import { decimalOf } from './simple.ts'

export function referenceSettings({ limits, threshold }: Rules): Settings {
  const minor = (currency: string, amount: string): bigint =>
    decimalOf(amount) / 10n ** BigInt(17 - (CURRENCIES.get(currency) ?? 0))
  return {
    threshold,
    limits: new Map(
      Object.entries(limits).map(([currency, { perPayment, perDay }]) => [
        currency,
        [minor(currency, perPayment), minor(currency, perDay)] as const,
      ]),
    ),
  }
}
