// Characters that a terminal or a reader would obey instead of showing: control characters (C0, DEL, C1), which begin the
// sequences that move the cursor, set titles and write clipboards, and the marks that turn the direction of text.

/** Unicode's Cc, Bidi_Control, and the two separators that some readers take for a line end. */
const OBEYED = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu

/** The text with each of these as `\uXXXX`, which JSON and YAML in quotes read as the same character. */
export function printable(text: string): string {
  return text.replaceAll(OBEYED, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Characters of an expected or found value that are shown: a SHA-384 in hex is whole, a file is not. */
const MAX_SHOWN_LENGTH = 120

/** A value that may be anything, and of any length, as an error shows it. */
export function clip(text: string): string {
  if (text.length <= MAX_SHOWN_LENGTH) return text
  return `${text.slice(0, MAX_SHOWN_LENGTH)}… (${text.length} characters)`
}

/** A value as JSON, line by line. */
export function jsonLines(value: unknown): string[] {
  return JSON.stringify(value, null, 2).split('\n')
}
