// `log show`: entries of the log as rows, and one as it stands there.

import type { Admin, LedgerEntry, Page, PageRequest } from '@casemate/client'
import { attestationIdOf } from '../broker/attestation-id.ts'
import { adminOf } from '../broker/connection.ts'
import { firstOf, limitOf, moreLines } from '../broker/paging.ts'
import type { Answer, Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { jsonLines } from '../terminal/printable.ts'
import { cell, shortIds, table, time } from '../terminal/table.ts'
import { denialLines } from './denial.ts'
import { entryActor, entrySubject } from './entry-cells.ts'

/** The newest entries, or those of one attestation. */
export async function showEntries(call: Call): Promise<Answer> {
  const limit = limitOf(call)
  const admin = adminOf(call)
  const newest = (page: PageRequest) => admin.ledger.entries({ ...page, order: 'desc' })
  const typed = call.option('attestation')
  const read = typed === null ? newest : await entriesOf(admin, await attestationIdOf(admin, typed), newest)
  const listing = await firstOf(limit, read)
  const rows = listing.items.map(({ index, timestamp, entry, erasedBy }) =>
    entry === null
      ? [String(index), time(timestamp), '(erased)', '-', `by entry ${erasedBy}`]
      : [
          String(index),
          time(timestamp),
          cell(entry['type']),
          shortIds(entryActor(entry['actor'])),
          shortIds(entrySubject(entry)),
        ],
  )
  const headings = ['index', 'at', 'what', 'who', 'about']
  const lines = table(headings, rows, 'the log has no entries', call.terminal.columns)
  return { exitCode: 0, json: listing, lines: [...lines, ...moreLines(listing)] }
}

type ReadEntries = (page: PageRequest) => Promise<Page<LedgerEntry>>

/** The same pages with one attestation's entries only; they end where it began, however old the log is. */
async function entriesOf(admin: Admin, id: string, read: ReadEntries): Promise<ReadEntries> {
  const { ledgerIndex } = await admin.attestations.get(id)
  const first = ledgerIndex ?? 0
  return async page => {
    const { items, next } = await read(page)
    const last = items.at(-1)
    const mine = items.filter(({ entry }) => isActor(entry?.['actor'], id))
    return { items: mine, next: last === undefined || last.index <= first ? null : next }
  }
}

function isActor(actor: unknown, id: string): boolean {
  return typeof actor === 'object' && actor !== null && Reflect.get(actor, 'attestation') === id
}

/** One entry in full. */
export async function showEntry(call: Call): Promise<Answer> {
  const index = indexOf(call)
  const ofList = ['attestation', 'limit'].find(name => call.given(name))
  if (ofList !== undefined) {
    throw new CliError('argument-unexpected', `--${ofList} is about many entries, and ${index} is one`, {
      hint: `casemate log show ${index}, or leave ${index} out`,
    })
  }
  const entry = await adminOf(call).ledger.entry(index)
  const told = entry.entry === null ? [] : denialLines(entry.entry)
  return { exitCode: 0, json: entry, lines: [...jsonLines(entry), ...told] }
}

/** @throws {CliError} argument-unexpected */
export function indexOf(call: Call): number {
  const [typed = ''] = call.positionals
  if (/^\d{1,15}$/.test(typed)) return Number(typed)
  throw new CliError('argument-unexpected', `the index is ${typed}, want a whole number from 0 on`)
}
