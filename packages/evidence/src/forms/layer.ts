// What people's evidence is wrapped in, one layer after another: each form opens one layer and says what is inside.
// Forms are tried in the order of their table. Every form is bounded by its input, or by a limit of its own.

import { BINARY_FORMATS, type ParsedEvidence } from '../kinds.ts'
import type { Beside } from '../members.ts'
import { Refusal } from '../refusal.ts'

/** Largest input, and largest content of a layer; JSON with an event log is some 2 MiB. */
export const MAX_RECOGNISED_BYTES = 16 * 1024 * 1024

/** Longest text that is read digit by digit, which is slow; dumps of the largest evidence are under half of it. */
export const MAX_SLOW_TEXT = 1024 * 1024

/** Most fields of a message of protobuf that are read; those of evidence have some 70. */
export const MAX_FIELDS = 4096

/** What a layer holds. */
export type Content =
  | { readonly is: 'bytes'; readonly bytes: Uint8Array }
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'json'; readonly value: unknown }
  | { readonly is: 'evidence'; readonly evidence: ParsedEvidence }

export type Layer = Content & {
  readonly beside?: readonly Beside[]
  /** Members that may hold evidence as well, and were not opened. */
  readonly others?: readonly Beside[]
}

/** One written form; `open` gives null for what is another form. */
export interface Form<Input> {
  /** For a person, as in “base64 in JSON”. */
  readonly name: string
  /** @throws {Refusal} where it is this form, and damaged or not supported */
  readonly open: (input: Input) => Layer | null
}

/** What was found, by the name of the form that found it; null where no form of the table did. */
export function openWith<Input>(
  forms: readonly Form<Input>[],
  input: Input,
): { readonly name: string; readonly layer: Layer } | null {
  for (const { name, open } of forms) {
    const layer = open(input)
    if (layer !== null) return { name, layer }
  }
  return null
}

/** `a quote of SGX or TDX, or a report of SEV-SNP`, for people. */
export const KNOWN_EVIDENCE = BINARY_FORMATS.map(({ what }) => what).join(', or ')

/** Something that is known, and not verified here. */
export function unsupported(name: string, hint: string): Refusal {
  return new Refusal('evidence-unsupported', `it is ${name}`, {
    expected: KNOWN_EVIDENCE,
    got: name,
    hint,
  })
}

/** A form that was recognised and is damaged. */
export function damaged(what: string, expected: string, got: string): Refusal {
  return new Refusal('evidence-malformed', `${what} is damaged: ${got}, want ${expected}`, { expected, got })
}
