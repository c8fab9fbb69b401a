// An explanation, as the broker gives it for evidence or a past attestation, for a person to read.

import type { Explanation } from '@casemate/client'
import { hintLines, plain, refusedLines, stepLines, violationLines } from '../terminal/marks.ts'
import { cell, fields } from '../terminal/table.ts'
import type { Palette, Terminal } from '../terminal/terminal.ts'
import { knownCodeWords } from './known-code.ts'
import { isUndecided } from './undecided.ts'

/** The claims that decide most often. */
const SHOWN_CLAIMS = ['kind', 'measurement', 'tcbStatus', 'debug', 'simulated'] as const

/** The explanation in full: what was checked, what it says, what is wrong. */
export function explanationLines(explanation: Explanation, terminal: Terminal): string[] {
  const { palette } = terminal
  const { steps, claims, result, refusal } = explanation
  const lines: string[] = stepLines(steps, terminal.palette, terminal.columns)
  if (refusal !== null) {
    lines.push(...refusedLines(refusal.code, refusal.message, terminal))
    if (refusal.expected !== null) lines.push(`      expected  ${plain(refusal.expected)}`)
    if (refusal.got !== null) lines.push(`      got       ${plain(refusal.got)}`)
    if (refusal.hint !== null) lines.push(...hintLines(refusal.hint, palette))
  }
  if (claims !== null) lines.push('', ...fields(SHOWN_CLAIMS.map(name => [name, cell(claims[name])])))
  lines.push(...enclaveLines(claims?.['enclave']))
  const violations = result?.violations ?? []
  if (violations.length > 0) lines.push('', ...violationLines(violations, palette))
  return [...lines, '', `Verdict: ${verdictWords(explanation, palette)}${basis(explanation)}`]
}

/** What the verdict rests on: policy, workload, and how far its code is known. */
function basis({ verdict, result }: Explanation): string {
  const { policyId, workload, codeKnownBy } = result ?? {}
  const policy = typeof policyId === 'string' ? ` by the policy ${policyId}` : ''
  const known = typeof workload === 'string' ? `, workload ${plain(workload)}` : ''
  return policy + known + (verdict === 'accepted' ? knownCodeWords(codeKnownBy) : '')
}

/** The explanation as data, whose verdict is `undecided` where the text says so. */
export function explanationJson(
  explanation: Explanation,
): Omit<Explanation, 'verdict'> & { verdict: string } {
  return isUndecided(explanation.refusal) ? { ...explanation, verdict: 'undecided' } : explanation
}

function verdictWords({ verdict, refusal }: Explanation, palette: Palette): string {
  if (verdict === 'accepted') return palette.green('accepted')
  return refusal !== null && isUndecided(refusal)
    ? `${palette.yellow('undecided')}, and so refused: ${refusal.code}`
    : palette.red('refused')
}

/** Who measured an enclave, as a person should take it. */
const MEASURERS: Readonly<Record<string, string>> = {
  processor: 'the processor',
  host: 'the platform above, which vouches for it',
}

/** The second layer: the enclave that the platform says it runs; nothing if it says none. */
function enclaveLines(enclave: unknown): string[] {
  if (typeof enclave !== 'object' || enclave === null) return []
  const claim = (name: string): unknown => Reflect.get(enclave, name)
  const measurer = String(claim('measuredBy'))
  const product = `${cell(claim('isvProdId'))}, security version ${cell(claim('isvSvn'))}`
  const rows: (readonly [string, string])[] = [
    ['measurement', cell(claim('mrEnclave'))],
    ['signer', cell(claim('mrSigner'))],
    ['product', product],
    ['debug', cell(claim('debug'))],
    ['measured by', MEASURERS[measurer] ?? measurer],
  ]
  if (claim('register') !== null) rows.push(['RTMR3', cell(claim('register'))])
  return ['', 'enclave', ...fields(rows, '  ')]
}
