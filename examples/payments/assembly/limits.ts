// Limits, from the measured configuration: `EUR 1000000.00 5000000.00, ...`, most of one payment and most of a debtor's
// day, in the currency. A currency that is not there is not allowed.
import { config } from 'casemate'
import { currencyIndex, decimalsOf } from './codes'
import { reserve } from './memory'

/** Both limits of every currency, in its smallest units. */
const limits: usize = reserve(17576 * 16)
readLimits(config('limits'))

function readLimits(setting: string | null): void {
  if (setting === null) return
  const lines = setting.split(',')
  for (let index = 0; index < lines.length; index++) {
    const words = lines[index].trim().split(' ')
    assert(words.length == 3 && words[0].length == 3, 'limits: CCY 0.00 0.00, ...')
    const name = words[0]
    const code: u32 = name.charCodeAt(0) | (name.charCodeAt(1) << 8) | (name.charCodeAt(2) << 16)
    const decimals = decimalsOf(code)
    assert(decimals >= 0, 'limits: no such currency')
    const at = limits + currencyIndex(code) * 16
    store<u64>(at, minorOf(words[1], decimals))
    store<u64>(at, minorOf(words[2], decimals), 8)
  }
}

function minorOf(text: string, decimals: i32): u64 {
  const parts = text.split('.')
  const fraction = parts.length > 1 ? parts[1] : ''
  assert(fraction.length <= decimals, 'limits: more decimals than the currency has')
  return U64.parseInt(parts[0] + fraction.padEnd(decimals, '0'))
}

/** Most of one payment; 0 if the currency is not allowed. */
export function limitOf(code: u32): u64 {
  return load<u64>(limits + currencyIndex(code) * 16)
}

/** Most of a debtor's day, by the currency's index. */
export function dayLimitOf(index: u32): u64 {
  return load<u64>(limits + index * 16, 8)
}
