// Why a secret was not released, in words, from its entry in the log.

import { clip } from '../terminal/printable.ts'
import { cell } from '../terminal/table.ts'

type Entry = Readonly<Record<string, unknown>>

/** For a row of a list; null for an entry that is no denial. */
export function denialInWords(entry: Entry): string | null {
  if (entry['type'] !== 'release.denied') return null
  const reason = cell(entry['reason'])
  const secret = entry['secret'] === undefined ? '' : `${cell(entry['secret'])}: `
  return secret + (ruleInWords(reason, rulesAgainst(entry)) ?? WORDS.get(reason) ?? reason)
}

/** Which rule it was, and what it says; of several, their names. Null if none is to blame. */
function ruleInWords(reason: string, rules: readonly Entry[]): string | null {
  const does = RULE_WORDS.get(reason)
  const [rule, ...others] = rules
  if (does === undefined || rule === undefined) return null
  if (others.length > 0) return `the rules ${rules.map(nameOf).join(', ')} ${does.several}`
  return `the rule ${nameOf(rule)} ${does.one}: ${clip(cell(rule['message']))}`
}

function rulesAgainst(entry: Entry): readonly Entry[] {
  const rules = Array.isArray(entry['rules']) ? (entry['rules'] as Entry[]) : []
  return rules.filter(rule => rule['outcome'] !== 'true')
}

function nameOf(rule: Entry): string {
  return cell(rule['rule'])
}

const RULE_WORDS: ReadonlyMap<string, { readonly one: string; readonly several: string }> = new Map([
  ['rule-false', { one: 'says no', several: 'say no' }],
  ['rule-error', { one: 'does not evaluate', several: 'fail or say no' }],
])

const WORDS: ReadonlyMap<string, string> = new Map([
  ['no-rule', 'no enabled rule is for it'],
  ['rule-false', 'a rule says no'],
  ['rule-error', 'a rule does not evaluate'],
  ['secret-missing', 'there is no such secret'],
  ['further-denials', 'further denials, counted'],
])

/** The same in full: what each rule said, and what to do. Empty for an entry that is no denial. */
export function denialLines(entry: Entry): string[] {
  const words = denialInWords(entry)
  if (words === null) return []
  return [
    '',
    `in words: ${words}`,
    ...rulesAgainst(entry).map(rule => `  ${nameOf(rule)}: ${clip(cell(rule['message']))}`),
    ...(entry['reason'] === 'no-rule'
      ? ['  without one nothing is released: casemate rule set makes one, casemate rule list shows them']
      : []),
  ]
}
