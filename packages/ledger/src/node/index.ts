// @casemate/ledger/node: the log itself, over node:sqlite.
export type { EntryMaker, Position } from './batch.ts'
export type { CheckReport } from './check.ts'
export { openDatabase } from './database.ts'
export { type Appended, MAX_BATCH, MAX_WAITING } from './group-commit.ts'
export { MAX_ENTRY_BYTES } from './hasher.ts'
export { type Erased, Ledger, type LedgerEntry, type LedgerOptions, MAX_PAGE, openLedger } from './ledger.ts'
export { sizeOf, verifyMark } from './mark-check.ts'
export { type Mark, MarkFile } from './mark-file.ts'
