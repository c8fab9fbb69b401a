// Pieces of a verdict as a person reads them: marks, steps, violations.

import type { Palette } from './terminal.ts'

/** `✓ what` or `✗ what`, two blanks in. */
export function mark(passed: boolean, what: string, palette: Palette): string {
  return `  ${passed ? palette.green('✓') : palette.red('✗')} ${what}`
}

/** Steps that passed, in order, the names in one column. */
export function stepLines(
  steps: readonly { readonly name: string; readonly looked: string }[],
  palette: Palette,
): string[] {
  const width = Math.max(...steps.map(step => step.name.length))
  return steps.map(step => mark(true, `${step.name.padEnd(width)}  ${palette.dim(step.looked)}`, palette))
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
    `      expected  ${violation.expected}`,
    `      got       ${violation.got}`,
    ...(violation.hint === undefined ? [] : [`      ${palette.dim(violation.hint)}`]),
  ])
}
