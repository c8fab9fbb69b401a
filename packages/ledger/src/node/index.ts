// @casemate/ledger/node: the log itself, over node:sqlite.
export { waitingBriefly } from './busy-timeout.ts'
export {
  type Change,
  ChangeRefused,
  ENTRY_INDEX,
  type Met,
  type Row,
  type Statement,
  type Value,
} from './change.ts'
export type { CheckReport } from './check.ts'
export { openDatabase } from './database.ts'
export { openExisting } from './existing-file.ts'
export { verifyFile } from './file-size.ts'
export { type Appended, MAX_BATCH, MAX_WAITING } from './group-commit.ts'
export { MAX_ENTRY_BYTES } from './hasher.ts'
export { type Erased, Ledger, type LedgerEntry, type LedgerOptions, MAX_PAGE, openLedger } from './ledger.ts'
export type { LedgerDatabase } from './ledger-database.ts'
export { sizeOf, verifyMark } from './mark-check.ts'
export { type Mark, MarkFile } from './mark-file.ts'
export { SqliteLedger } from './sqlite-ledger.ts'
export { asUnreadable } from './storage-failure.ts'
