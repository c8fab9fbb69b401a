// What a log asks of the database that it is kept in, together with the state whose changes it records. Nothing here assumes
// that this process is the only one on it: whoever commits takes the log's head first, so that all who do are in one order,
// and goes on from what is stored, not from what it remembers. What resolves is on disk.
import type { LedgerError } from '../errors.ts'
import type { Change, Met, Statement } from './change.ts'
import type { MerkleTail } from './tail.ts'

/** Whose log it is and its state after the last committed batch. */
export interface Head {
  readonly verifierKey: string
  readonly size: number
  readonly root: Uint8Array
  /** Milliseconds since the epoch: the last leaf's. */
  readonly timestamp: number
}

/** Content and salt of an entry, or the index of the entry that records its erasure. */
export type StoredEntry =
  | { readonly salt: Uint8Array; readonly content: string; readonly erasedBy: null }
  | { readonly salt: null; readonly content: null; readonly erasedBy: number }

export interface StoredCheckpoint {
  readonly size: number
  readonly note: string
}

/** What the growing edge of the tree is restored from, all of one moment. */
export interface Edge {
  readonly head: Head
  /** One more than the index of the last entry, as it is stored: {@link Head.size}, or the log is damaged. */
  readonly entriesEnd: number
  readonly leavesEnd: number
  /** Of the last bundle, which is not full. */
  readonly leaves: Uint8Array
  /** For each level above the leaves the full tiles below its last tile, which is not full. */
  readonly tiles: readonly (readonly Uint8Array[])[]
}

/** What a batch takes from the queue. */
export interface Append {
  /** Canonical JSON. */
  readonly content: string
  readonly change: Change
}

export interface Batch {
  /** In the order in which they came. */
  readonly appends: readonly Append[]
  /** The log as this process knows it. */
  readonly tail: MerkleTail
  readonly now: () => Date
  /** Cryptographically secure. */
  readonly randomBytes: (size: number) => Uint8Array
}

/** Where an entry is about to stand. */
export interface Position {
  readonly index: number
  readonly timestamp: Date
}

/** What became of one append; settled for its caller only after the commit. */
export type Outcome =
  | { readonly ok: true; readonly position: Position; readonly met: readonly Met[] }
  | { readonly ok: false; readonly error: unknown }

export interface CommittedBatch {
  /** The log with the batch, and with all that others appended before it. */
  readonly tail: MerkleTail
  /** One for each append. */
  readonly outcomes: readonly Outcome[]
  /** What went wrong after the commit, which stands all the same. */
  readonly trouble: LedgerError | null
}

/** A write that was not made is `ledger-unavailable` or `ledger-failed`; what is stored and cannot be believed is `ledger-damaged`. */
export interface LedgerDatabase {
  /**
   * Brings the tables to this program's version.
   * @throws {LedgerError} ledger-newer; ledger-not-durable where a commit would be acknowledged before it cannot be lost
   */
  prepare(): Promise<void>
  /** The head of the log; an empty log's with this key where there is none. Of two that begin one, the first does. */
  begin(verifierKey: string): Promise<Head>
  head(): Promise<Head>
  edge(): Promise<Edge>
  /**
   * One transaction: takes the head, which must be of the log that this process knows or of one that continues it (`ledger-damaged`
   * where it is behind, `ledger-forked` where it is another); makes each change with the index that its entry would have, leaves out
   * what is refused, and writes what a `Growth` makes of the rest. Rejects only where nothing at all was committed.
   */
  commit(batch: Batch): Promise<CommittedBatch>
  /** A change that goes with no entry. A database that somebody else holds is hardly waited for. @throws {ChangeRefused} */
  write(change: Change): Promise<void>
  /** Erases an entry that is there and was not erased, for the entry that records it. */
  erasure(index: number): Statement
  /** Leaves nothing of what was erased where it can be. False where somebody who reads is in the way: for later. */
  overwriteErased(): Promise<boolean>
  /** Each in its place; null where there is none. */
  entries(from: number, to: number): Promise<readonly (StoredEntry | null)[]>
  /** From one index to before another, concatenated. @throws {LedgerError} ledger-damaged where one is missing */
  leaves(from: number, to: number): Promise<Uint8Array>
  /** A full tile. */
  tile(level: number, position: number): Promise<Uint8Array>
  /** Keeps a checkpoint before it is shown. Gives the one of its size that is there from then on: the first stays. */
  keepCheckpoint(checkpoint: StoredCheckpoint): Promise<string>
  latestCheckpoint(): Promise<StoredCheckpoint | null>
  /** The oldest checkpoint of at least that size. */
  checkpointFrom(size: number): Promise<StoredCheckpoint | null>
  /** Whether a mark was ever kept for the log outside the database. */
  isMarked(): Promise<boolean>
  /** From now on a mark that is missing was lost. */
  setMarked(): Promise<void>
}
