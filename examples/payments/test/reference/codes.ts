// Code lists for the reference, as sets and maps.
import { COUNTRIES as COUNTRY_CODES, DECIMALS, IBANS } from '../../assembly/code-lists.ts'

/** Decimals of a currency. */
export const CURRENCIES: ReadonlyMap<string, number> = new Map(
  DECIMALS.flatMap((codes, decimals) => codes.split(' ').map(code => [code, decimals] as const)),
)

export const COUNTRIES: ReadonlySet<string> = new Set(COUNTRY_CODES.match(/../g))

const IBAN_LENGTHS = new Map(IBANS.match(/.{4}/g)?.map(item => [item.slice(0, 2), Number(item.slice(2))]))

/** Length, and the rest of 97. */
export function isIban(text: string): boolean {
  if (IBAN_LENGTHS.get(text.slice(0, 2)) !== text.length) return false
  const moved = (text.slice(4) + text.slice(0, 4)).toUpperCase()
  const digits = Array.from(moved, letter => Number.parseInt(letter, 36)).join('')
  return BigInt(digits) % 97n === 1n
}
