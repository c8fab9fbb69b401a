// What the parts of the SQLite store share: the database, the transaction they write in, preconditions and paging.

import type { DatabaseSync } from 'node:sqlite'
import { type Appended, type Change, ChangeRefused, type Statement, type Value } from '@casemate/ledger/node'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { Row } from './rows.ts'
import type { Page, Precondition } from './store.ts'

/** `append` of the ledger: the change is made in the transaction of the entry, or neither is. */
export type Append = (entry: JsonObject, change: Change) => Promise<Appended>

/** What each part of the store works with. */
export interface SqliteParts {
  readonly db: DatabaseSync
  readonly append: Append
}

/** How often a change is tried that was refused for something that is no longer so. */
const MAX_ATTEMPTS = 3

/**
 * Appends with a change. `explain` throws what keeps the change from being made, by what is stored now; where nothing does
 * any more, it is tried again. @throws {BrokerError} `conflict` where it is refused again and again
 */
export async function appendUnless(
  append: () => Promise<Appended>,
  explain: (refused: ChangeRefused) => void,
): Promise<Appended> {
  for (let made = 1; ; made++) {
    try {
      return await append()
    } catch (error) {
      if (!(error instanceof ChangeRefused)) throw error
      explain(error)
      if (made === MAX_ATTEMPTS) throw new BrokerError('conflict', 'it changes too often', { cause: error })
    }
  }
}

/** Gives its kind the next number, which no change of the kind had before. */
export function nextGeneration(kind: string): Statement {
  return { sql: NEXT_GENERATION, values: [kind], expected: 1 }
}

const NEXT_GENERATION = `INSERT INTO generations (kind, value) VALUES (?, 1)
  ON CONFLICT (kind) DO UPDATE SET value = value + 1`

/** The number that {@link nextGeneration} gave, in a later statement of the change that has the kind at `place`. */
export function givenGeneration(place: string): string {
  return `(SELECT value FROM generations WHERE kind = ${place})`
}

/** Finds what is there only as the precondition wants it; `sql` takes the revision last, null for any. */
export function guard(expected: Precondition, sql: string, values: readonly Value[]): Statement {
  const count = expected === 'any' ? 'any' : expected === 'none' ? 0 : 1
  return { sql, values: [...values, typeof expected === 'number' ? expected : null], expected: count }
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
