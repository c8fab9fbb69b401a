// A saved HTTP answer, as `curl -i` writes it: a status line, headers and an empty line, and behind that the content.

import type { Form } from './layer.ts'

const STATUS_LINE = /^HTTP\/[\d.]+ \d{3}[^\n]*\n/

export interface HttpAnswerText {
  readonly head: string
  /** Null where no empty line ends the head. */
  readonly content: string | null
}

/** Null for a text that does not begin with a status line. */
export function splitHttpAnswer(text: string): HttpAnswerText | null {
  if (!STATUS_LINE.test(text)) return null
  const end = /\r?\n\r?\n/.exec(text)
  return end === null
    ? { head: text, content: null }
    : { head: text.slice(0, end.index), content: text.slice(end.index).trim() }
}

export const SAVED_ANSWER: Form<string> = {
  name: 'a saved HTTP answer',
  open: text => {
    const content = splitHttpAnswer(text)?.content ?? null
    return content === null ? null : { is: 'text', text: content }
  },
}
