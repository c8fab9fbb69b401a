// An entry of the log in two cells, its subject and who made it: the member that names it, or all that the entry says
// of its own kind.

import { cell } from '../terminal/table.ts'
import { denialInWords } from './denial.ts'

/** Members that name something by themselves, the most telling first. */
const NAMES = ['secret', 'path', 'name', 'route', 'reason', 'code', 'kind', 'key', 'token']

/** Of every entry, and in other columns. */
const HEAD: ReadonlySet<string> = new Set(['type', 'at', 'actor'])

/** What the entry is about. */
export function entrySubject(entry: Readonly<Record<string, unknown>>): string {
  const words = denialInWords(entry)
  if (words !== null) return words
  const found = NAMES.map(name => entry[name]).find(value => typeof value === 'string')
  const text = found === undefined ? everyMember(entry) : cell(found)
  // Only a use that changed nothing has one; a refusal must not look like what was done.
  const status = entry['status']
  return typeof status === 'number' ? `${text} → ${status}` : text
}

/** `version 2`, or `before 2026-11-30T00:00:00Z, count 4`; what has members of its own is left to `log show INDEX`. */
function everyMember(entry: Readonly<Record<string, unknown>>): string {
  const told = Object.entries(entry)
    .filter(([name, value]) => !HEAD.has(name) && name !== 'status' && typeof value !== 'object')
    .map(([name, value]) => `${cell(name)} ${cell(value)}`)
  return cell(told.length === 0 ? null : told.join(', '))
}

/** A token's name, an attestation's id, or the broker itself. */
export function entryActor(actor: unknown): string {
  if (typeof actor !== 'object' || actor === null) return '-'
  const { name, attestation, system } = actor as Record<string, unknown>
  return cell(name ?? attestation ?? system)
}
