// Text that somebody else wrote, made fit for messages: they end in terminals, logs and pages, which obey control
// characters and let bidirectional ones rearrange what a person reads.

/** Longest piece of it in a message, in UTF-16 code units. */
const MAX_SHOWN = 64
/** Controls (C0, DEL, C1), invisible and bidirectional formatting, line and paragraph separators, lone surrogates. */
const UNFIT = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
const PLAIN = /^[\w-]+$/

/** The text with everything escaped, as in JSON, that a terminal would obey or not show. */
export function escapeUnfit(text: string): string {
  return text.replace(UNFIT, character =>
    Array.from({ length: character.length }, (_, index) => escapeUnit(character.charCodeAt(index))).join(''),
  )
}

/** The beginning of the text; in quotes and escaped, unless it is one plain word. */
export function quoteUntrusted(text: string): string {
  const shown = text.slice(0, MAX_SHOWN)
  return PLAIN.test(shown) ? shown : escapeUnfit(JSON.stringify(shown))
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}
