// The columns of a screen that a text takes as it is printed: wide characters take two (Unicode's UAX #11), marks that
// stand on the one before take none. LIMIT: pictures that are joined into one are counted one by one, as terminals differ.

import { eastAsianWidth } from 'get-east-asian-width'
import { printable } from './printable.ts'

const ASCII = /^[\x20-\x7e]*$/
const WITHOUT_COLUMN = /[\p{Mn}\p{Me}\p{Cf}]/u

export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length
  let width = 0
  // Letters of Hangul stand together as one syllable.
  for (const char of printable(text).normalize('NFC')) {
    if (!WITHOUT_COLUMN.test(char)) width += eastAsianWidth(char.codePointAt(0) ?? 0)
  }
  return width
}

/** Filled with blanks up to so many columns. */
export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)))
}
