// A change of the state that is recorded by an entry: a list of statements, each with the rows that it has to meet. It is
// plain data, so that a database can run it in one go, in another process or in another thread; what decides is in the
// statements themselves (`WHERE … = old`, expected 1), so that it is safe against whoever else writes.
import { LedgerError } from '../errors.ts'

/** Stands for the index of the entry that the change goes with, which is known only in its transaction. */
export const ENTRY_INDEX = Object.freeze({ entry: 'index' } as const)

export type Value = string | number | bigint | null | Uint8Array | typeof ENTRY_INDEX

export interface Statement {
  /** In the words of the database; a constant text, as it is prepared once. */
  readonly sql: string
  /** Bound by position. */
  readonly values: readonly Value[]
  /** How many rows it has to find or change; `any` where nothing depends on that. */
  readonly expected: number | 'any'
}

/** Run in order and as a whole: where a count differs, or a constraint is violated, nothing of it stays. */
export type Change = readonly Statement[]

/** One row that a statement found, or returned of those that it changed. */
export type Row = Readonly<Record<string, string | number | bigint | null | Uint8Array>>

/** What a statement met. */
export interface Met {
  readonly count: number
  readonly rows: readonly Row[]
}

/** The state is not what the change was made for; neither it nor its entry is there. */
export class ChangeRefused extends LedgerError {
  /** Place of the statement that met something else. */
  readonly statement: number

  constructor(
    statement: number,
    detail: { readonly expected: string; readonly got: string; cause?: unknown },
  ) {
    super('change-refused', `statement ${statement} of the change did not meet what it has to`, detail)
    this.statement = statement
  }
}
