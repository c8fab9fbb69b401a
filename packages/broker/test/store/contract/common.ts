// What the parts of the store's contract share: the two processes, and what they put.
import assert from 'node:assert/strict'
import type { Change, Ledger, LedgerDatabase } from '@casemate/ledger/node'
import { type Entry, type EntryType, entry } from '../../../src/entry.ts'
import { BrokerError, type BrokerErrorCode } from '../../../src/errors.ts'
import { secretPath } from '../../../src/secret-path.ts'
import type { SealedSecret, Store } from '../../../src/store/store.ts'

/** As one process has it open. */
export interface Handle {
  readonly store: Store
  readonly ledger: Ledger
  readonly database: LedgerDatabase
  close(): Promise<void>
}

/** The handles, from when the suite has opened them. */
export type Both = () => readonly [Handle, Handle]

/** What a database has to offer to be looked at. */
export interface ContractSubject {
  /** Opens the one database of the suite, which is empty at first; whenever it is called. */
  readonly open: () => Promise<Handle>
  /** In the words of the database: a change that puts a row, and fails where it is there; and one that is always refused. */
  readonly changes: {
    readonly prepare: (handle: Handle) => void
    readonly put: (name: string) => Change
    readonly refused: Change
    readonly names: (handle: Handle) => readonly string[]
  }
  /** Bytes that refused attestations may take. */
  readonly refusalBudget: number
}

export const AT = new Date('2026-11-22T12:00:00Z')
export const MINUTE_MS = 60_000

export const record = (type: EntryType, at = AT): Entry => entry({ type, at, actor: { system: 'contract' } })
export const withCode = (code: BrokerErrorCode) => (error: unknown) =>
  error instanceof BrokerError && error.code === code
export const refuses = (code: BrokerErrorCode, work: Promise<unknown>) => assert.rejects(work, withCode(code))

export const PATH = secretPath('default', 'key', 'contract')

export const sealedAs = (version: number, kekVersion = 1): SealedSecret => ({
  ...PATH,
  version,
  createdAt: AT,
  sizeBytes: 3,
  dataKey: { kekVersion, bytes: new Uint8Array([kekVersion]) },
  ciphertext: new Uint8Array([version]),
})
