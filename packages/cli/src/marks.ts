// Pieces of a verdict as a person reads them: marks, steps, violations.

import { clip } from './printable.ts'
import type { Palette } from './terminal.ts'

/** `✓ what` or `✗ what`, two blanks in. */
export function mark(passed: boolean, what: string, palette: Palette): string {
  return `  ${passed ? palette.green('✓') : palette.red('✗')} ${what}`
}

/** Steps that passed, in order, the names in one column; what they looked at is wrapped to the screen. */
export function stepLines(
  steps: readonly { readonly name: string; readonly looked: string }[],
  palette: Palette,
  columns: number | null,
): string[] {
  const width = Math.max(0, ...steps.map(step => step.name.length))
  const margin = width + '  ✓   '.length
  return steps.flatMap(({ name, looked }) => {
    const [first = '', ...rest] = wrap(looked, columns === null ? null : columns - margin)
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

/** Narrower than this, wrapping helps nobody. */
const MIN_WRAP = 24

/** Breaks a text at blanks, so that no line is wider, where words allow. */
export function wrap(text: string, width: number | null): string[] {
  if (width === null || width < MIN_WRAP) return [text]
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
    ...(violation.hint === undefined ? [] : [`      ${palette.dim(violation.hint)}`]),
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
