// What a terminal or a reader would obey instead of seeing: control characters (C0, DEL, C1), which begin the
// sequences that move the cursor, set titles and write clipboards, and the marks that turn the direction of text.

/** Unicode's Cc, Bidi_Control, and the two separators that some readers take for a line end. */
const OBEYED = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu

/** The text with each of these as `\uXXXX`, which JSON and YAML in quotes read as the same character. */
export function printable(text: string): string {
  return text.replaceAll(OBEYED, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A value as JSON, line by line. */
export function jsonLines(value: unknown): string[] {
  return JSON.stringify(value, null, 2).split('\n')
}
