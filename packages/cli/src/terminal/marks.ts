// Pieces of a verdict as a person reads them: marks, steps, violations.

import { clip } from './printable.ts'
import type { Palette } from './terminal.ts'

/** `✓ what` or `✗ what`, two blanks in. */
export function mark(passed: boolean, what: string, palette: Palette): string {
  return `  ${passed ? palette.green('✓') : palette.red('✗')} ${what}`
}

/** What a text is wrapped to if it goes into a file or a pipe. */
const DEFAULT_COLUMNS = 80

/** A certificate's serial number, which says nothing to a person, and is in the JSON. */
const SERIAL = / \(serial 0x[0-9a-f]+\)/g

/** Steps that passed, in order, the names in one column; what they looked at is wrapped, without serial numbers. */
export function stepLines(
  steps: readonly { readonly name: string; readonly looked: string }[],
  palette: Palette,
  columns: number | null,
): string[] {
  const width = Math.max(0, ...steps.map(step => step.name.length))
  const margin = width + '  ✓   '.length
  return steps.flatMap(({ name, looked }) => {
    const [first = '', ...rest] = wrap(looked.replaceAll(SERIAL, ''), (columns ?? DEFAULT_COLUMNS) - margin)
    return [
      `  ${markOf(looked, palette)} ${name.padEnd(width)}  ${palette.dim(first)}`,
      ...rest.map(line => ' '.repeat(margin) + palette.dim(line)),
    ]
  })
}

/** A step that says itself that it looked at nothing is no tick. */
function markOf(looked: string, palette: Palette): string {
  return looked.startsWith('NOT ') || looked.startsWith('nothing') ? palette.yellow('–') : palette.green('✓')
}

/** A text with its first line as it stands and the others below it, `indent` blanks in. */
export function hanging(text: string, indent: number, columns: number | null): string[] {
  const [first = '', ...rest] = wrap(text.trimStart(), (columns ?? DEFAULT_COLUMNS) - indent)
  const start = text.length - text.trimStart().length
  return [' '.repeat(start) + first, ...rest.map(line => ' '.repeat(indent) + line)]
}

/** `✗ code  message`, the message wrapped below itself. */
export function refusedLines(code: string, message: string, { palette, columns }: Page): string[] {
  const [first = '', ...rest] = hanging(`${code}  ${message}`, '  ✗ '.length, columns)
  return [mark(false, palette.red(code) + first.slice(code.length), palette), ...rest]
}

/** How a text is set. */
interface Page {
  readonly palette: Palette
  /** Null if it goes into a file or a pipe. */
  readonly columns: number | null
}

/** Narrower than this, wrapping helps nobody. */
const MIN_WRAP = 24

/** Breaks a text at blanks, so that no line is wider, where words allow. */
export function wrap(text: string, width: number): string[] {
  if (width < MIN_WRAP) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

/** A hint below what it is for, six blanks in. */
export function hintLines(hint: string, palette: Palette): string[] {
  return wrap(hint, DEFAULT_COLUMNS - 6).map(line => `      ${palette.dim(line)}`)
}

/** One violated expectation. */
interface Violation {
  readonly path: string
  readonly expected: string
  readonly got: string
  readonly hint?: string
}

/** Every violated expectation with what was wanted, what was found, and what to do. */
export function violationLines(violations: readonly Violation[], palette: Palette): string[] {
  return violations.flatMap(violation => [
    mark(false, violation.path, palette),
    `      expected  ${plain(violation.expected)}`,
    `      got       ${plain(violation.got)}`,
    ...(violation.hint === undefined ? [] : hintLines(violation.hint, palette)),
  ])
}

/** A value of an expectation in words: `{"fmc":null,"bootloader":4}` is `bootloader 4`. */
export function plain(text: string): string {
  if (!text.startsWith('{') || text.length > MAX_OBJECT_LENGTH) return clip(text)
  try {
    const members = Object.entries(JSON.parse(text) as Record<string, unknown>)
    if (members.some(([, value]) => typeof value === 'object' && value !== null)) return clip(text)
    const shown = members
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name} ${String(value)}`)
    return clip(shown.join(', ') || 'none')
  } catch {
    return clip(text)
  }
}

/** No claim with members is longer; what is, is not parsed to be shown. */
const MAX_OBJECT_LENGTH = 1_000
