// Why a secret was not released, in words, from its entry in the log.

import { clip } from './printable.ts'
import { cell } from './table.ts'

type Entry = Readonly<Record<string, unknown>>

/** For a row of a list; null for an entry that is no denial. */
export function denialInWords(entry: Entry): string | null {
  if (entry['type'] !== 'release.denied') return null
  const reason = cell(entry['reason'])
  const secret = entry['secret'] === undefined ? '' : `${cell(entry['secret'])}: `
  return secret + (WORDS.get(reason) ?? reason)
}

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
  const rules = Array.isArray(entry['rules']) ? (entry['rules'] as Entry[]) : []
  const said = rules.filter(rule => rule['outcome'] !== 'true')
  return [
    '',
    `in words: ${words}`,
    ...said.map(rule => `  ${cell(rule['rule'])}: ${clip(cell(rule['message']))}`),
    ...(entry['reason'] === 'no-rule'
      ? ['  without one nothing is released: casemate rule set makes one, casemate rule list shows them']
      : []),
  ]
}
