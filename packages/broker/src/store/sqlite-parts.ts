// What the parts of the SQLite store share: the database, the transaction they write in, preconditions and paging.

import type { DatabaseSync } from 'node:sqlite'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { integer, type Row } from './rows.ts'
import type { Page, Precondition, Recorded } from './store.ts'

/** `append` of the ledger: runs `within` in the transaction of the entry; what it throws undoes both. */
export type Append = <T>(entry: JsonObject, within: (index: number) => T) => Promise<Recorded<T>>

/** What each part of the store works with. */
export interface SqliteParts {
  readonly db: DatabaseSync
  readonly append: Append
}

/** The next number of a kind; rises with every change and is never given twice. */
export function nextGeneration(db: DatabaseSync, kind: string): number {
  const row = db
    .prepare(
      `INSERT INTO generations (kind, value) VALUES (?, 1)
       ON CONFLICT (kind) DO UPDATE SET value = value + 1 RETURNING value`,
    )
    .get(kind)
  if (row === undefined) throw new BrokerError('internal', 'no generation')
  return integer(row, 'value')
}

/** @throws {BrokerError} `precondition-failed` */
export function checkPrecondition(expected: Precondition, found: number | null): void {
  if (preconditionHolds(expected, found)) return
  throw new BrokerError('precondition-failed', 'it has changed, or does not exist, or exists already', {
    expected: typeof expected === 'number' ? `revision ${expected}` : EXPECTATIONS[expected],
    got: found === null ? 'nothing' : `revision ${found}`,
    hint: 'read it again and repeat the change on what it is now',
  })
}

const EXPECTATIONS = { some: 'that it exists', none: 'that it does not exist', any: 'anything' }

function preconditionHolds(expected: Precondition, found: number | null): boolean {
  if (expected === 'any') return true
  if (expected === 'none') return found === null
  return expected === 'some' ? found !== null : found === expected
}

/** A page from rows of which one more than `limit` was asked for. */
export function pageOf<T>(
  rows: readonly Row[],
  limit: number,
  of: { read(row: Row): T; key(item: T): string },
): Page<T> {
  const items = rows.slice(0, limit).map(row => of.read(row))
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? of.key(last) : null }
}
