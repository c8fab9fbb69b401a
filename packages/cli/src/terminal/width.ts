// How many columns of a screen a text takes: characters of East Asian scripts and pictures take two, marks that stand on
// the one before take none. The common cases of Unicode's UAX #11, not all of it.

const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u
const NARROW = /[\p{Mn}\p{Me}\p{Cf}]/u

export function widthOf(text: string): number {
  let width = 0
  for (const char of text) {
    if (!NARROW.test(char)) width += WIDE.test(char) ? 2 : 1
  }
  return width
}

/** Filled with blanks up to so many columns. */
export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)))
}
