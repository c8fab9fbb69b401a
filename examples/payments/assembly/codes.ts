// Code lists of ISO: currencies with their decimals (ISO 4217), countries (ISO 3166-1) and the lengths of IBANs
// (SWIFT's registry). Looked up by a table of all words of two or three letters.
import { COUNTRIES, DECIMALS, IBANS } from './code-lists'
import { reserve } from './memory'

/** By word: decimals of a currency, plus 1. */
const currencies: usize = reserve(26 * 26 * 26)
/** By word: 1 for a country; with the length of its IBANs, shifted by one. */
const countries: usize = reserve(26 * 26)

for (let decimals = 0; decimals < DECIMALS.length; decimals++) {
  const words = DECIMALS[decimals]
  for (let at = 0; at + 3 <= words.length; at += 4) {
    const place = (letter(words, at) * 26 + letter(words, at + 1)) * 26 + letter(words, at + 2)
    store<u8>(currencies + place, <u8>(decimals + 1))
  }
}
for (let at = 0; at < COUNTRIES.length; at += 2) {
  store<u8>(countries + letter(COUNTRIES, at) * 26 + letter(COUNTRIES, at + 1), 1)
}
for (let at = 0; at < IBANS.length; at += 4) {
  const place = countries + letter(IBANS, at) * 26 + letter(IBANS, at + 1)
  store<u8>(place, <u8>((parseInt(IBANS.slice(at + 2, at + 4)) as i32) << 1) | 1)
}

function letter(text: string, at: i32): u32 {
  return text.charCodeAt(at) - 65
}

/** Of a currency as a word of three letters; -1 where there is none such. */
export function decimalsOf(code: u32): i32 {
  return <i32>load<u8>(currencies + currencyIndex(code)) - 1
}

/** Below 17,576. */
export function currencyIndex(code: u32): u32 {
  return (((code & 0xff) - 65) * 26 + ((code >> 8) & 0xff) - 65) * 26 + ((code >> 16) & 0xff) - 65
}

function countryAt(pointer: usize): u32 {
  return load<u8>(countries + (<u32>load<u8>(pointer) - 65) * 26 + <u32>load<u8>(pointer + 1) - 65)
}

/** Of two capital letters. */
export function isCountry(pointer: usize): bool {
  return countryAt(pointer) != 0
}

/** Length and check digits (ISO 7064, mod 97-10) of what already has the shape of an IBAN. */
export function isIban(pointer: usize, length: u32): bool {
  if (countryAt(pointer) >> 1 != length) return false
  let rest: u32 = 0
  for (let at: u32 = 0; at < length; at++) {
    const byte: u32 = load<u8>(pointer + (at + 4 < length ? at + 4 : at + 4 - length))
    const value = byte < 58 ? byte - 48 : (byte | 32) - 87
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest == 1
}
