// An explanation, as the broker gives it for evidence or a past attestation, for a person to read.

import type { Explanation, Json } from '@casemate/client'
import { mark, stepLines, violationLines } from './marks.ts'
import { fields } from './table.ts'
import type { Palette } from './terminal.ts'

/** True where the policy accepts; anything else, also an answer that does not say, is a no. */
export function isAccepted(explanation: Explanation): boolean {
  return memberOf(explanation, 'result', 'accepted') === true || explanation['accepted'] === true
}

/** The explanation in full: what it is, what was checked, what is wrong. */
export function explanationText(explanation: Explanation, palette: Palette): string {
  const lines: string[] = []
  const steps = listOf(explanation['steps'])
  if (steps.length > 0) lines.push(...stepLines(steps as never, palette))
  const refusal = explanation['refusal']
  if (typeof refusal === 'object' && refusal !== null) {
    lines.push(mark(false, `${text(refusal, 'code')}: ${text(refusal, 'message')}`, palette))
    const hint = text(refusal, 'hint')
    if (hint !== '') lines.push(`    hint: ${hint}`)
  }
  const claims = explanation['claims']
  if (typeof claims === 'object' && claims !== null) {
    lines.push(
      '',
      fields(
        ['kind', 'measurement', 'tcbStatus', 'debug', 'simulated'].map(name => [name, text(claims, name)]),
      ),
    )
  }
  const violations = listOf(memberOf(explanation, 'result', 'violations') ?? explanation['violations'])
  if (violations.length > 0) lines.push('', ...violationLines(violations as never, palette))
  const verdict = isAccepted(explanation) ? palette.green('accepted') : palette.red('refused')
  lines.push('', `Verdict: ${verdict}`)
  return lines.join('\n').replace(/^\n/, '')
}

function memberOf(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let at: Json | undefined = value
  for (const name of path) {
    if (typeof at !== 'object' || at === null || Array.isArray(at)) return undefined
    at = (at as Readonly<Record<string, Json>>)[name]
  }
  return at
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : []
}

function text(value: object, name: string): string {
  const found: unknown = Reflect.get(value, name)
  if (found === undefined || found === null) return ''
  return typeof found === 'string' ? found : JSON.stringify(found)
}
