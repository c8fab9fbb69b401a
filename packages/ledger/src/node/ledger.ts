// The log, in the same database as the state whose changes it records. An append is acknowledged once its batch is on
// disk; appends of one turn of the event loop, and those that come while a batch commits, share a batch.
// Everything that is shown (checkpoint, tile, proof, receipt) is of committed entries only.
import { type KeyObject, randomBytes } from 'node:crypto'
import { encodeBase64, isCount } from '../bytes.ts'
import type { JsonObject } from '../canonical.ts'
import type { SignedCheckpoint } from '../checkpoint.ts'
import { LedgerError, type LedgerErrorCode } from '../errors.ts'
import { LEAF_SIZE } from '../leaf.ts'
import { RECEIPT_FORMAT, type Receipt } from '../receipt.ts'
import { encodeBundle, TILE_WIDTH } from '../tile.ts'
import { type Change, ChangeRefused } from './change.ts'
import { type CheckReport, checkAll } from './check.ts'
import { type Appended, GroupCommit, type Remember } from './group-commit.ts'
import type { LedgerDatabase } from './ledger-database.ts'
import { demandMark, demandRoot } from './mark-check.ts'
import type { MarkFile } from './mark-file.ts'
import { damaged, readLeaf, restoreTail, verifyEntry, verifyLastEntries, verifyShown } from './restore.ts'
import { CheckpointSigner } from './signer.ts'
import type { MerkleTail } from './tail.ts'
import { outOfRange, TreeReader } from './tree.ts'

/** Entries that {@link Ledger.entries} returns at most. */
export const MAX_PAGE = 1_000

export interface LedgerOptions {
  readonly database: LedgerDatabase
  /** Unique name of the log, such as `broker.example.org/log`: no white space, no `+`. */
  readonly origin: string
  /** Ed25519 private key; the same one for the log's whole life. */
  readonly signingKey: KeyObject
  readonly now: () => Date
  /** Asked right before each batch is written; what it throws refuses the appends in it. */
  readonly assertWritable?: () => void
  /** Told once that nothing is written any more until the log is opened again. */
  readonly onFailure?: (failure: LedgerError) => void
  /** Kept outside the database, so that a lost end of the log shows; the caller closes it, after the ledger. */
  readonly mark?: MarkFile
  /** Whether the log is opened in spite of its mark; the caller records what was lost, and grows the log beyond it. */
  readonly isRestored?: boolean
  /** Cryptographically secure; OpenSSL's unless given. */
  readonly randomBytes?: (size: number) => Uint8Array
}

/** One entry as an auditor reads it. */
export interface LedgerEntry {
  readonly index: number
  readonly timestamp: Date
  /** Null where it was erased. */
  readonly entry: JsonObject | null
  /** Index of the entry that records the erasure. */
  readonly erasedBy: number | null
}

interface ReadEntry {
  readonly shown: LedgerEntry
  readonly salt: Uint8Array | null
}

/** What became of an erasure. */
export interface Erased {
  /** Of the entry that records it. */
  readonly index: number
  /** False where a reader of the file kept old pages in use: they go with a later erasure or at close. */
  readonly isOverwritten: boolean
}

/**
 * Opens the log in a database, or begins one there; checks that what is stored is consistent.
 * @throws {LedgerError} ledger-damaged, ledger-newer, ledger-foreign, ledger-not-durable, key-malformed; with a mark
 * mark-missing, mark-damaged, mark-foreign, ledger-cut, ledger-forked
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { database, now, mark, isRestored = false } = options
  const signer = new CheckpointSigner(options.origin, options.signingKey)
  const { verifierKey } = signer
  await database.prepare()
  demandOwn((await database.begin(verifierKey)).verifierKey, verifierKey)
  // Before the log, which another process may let grow and show meanwhile.
  const shown = await database.latestCheckpoint()
  const edge = await database.edge()
  const tail = restoreTail(edge)
  await verifyLastEntries(database, edge)
  if (shown !== null) await verifyShown(shown, { database, tail, signer })
  if (mark !== undefined && !isRestored) await demandMark({ database, tail, verifierKey }, mark)
  const random = options.randomBytes ?? randomBytes
  const remember = rememberIn(mark, verifierKey)
  const commits = new GroupCommit({ database, now, randomBytes: random }, tail, { ...options, remember })
  // A restored log is noted with the record of that: a start that is cut off before it is refused as this one was.
  if (mark !== undefined && !isRestored) {
    remember(tail, true)
    // Only now, so that a start that is cut off between the two finds a mark that it does not miss.
    await database.setMarked()
  }
  return new Ledger({ database, signer, commits, mark })
}

function rememberIn(mark: MarkFile | undefined, verifierKey: string): Remember {
  return (tail, isDurable) => mark?.write({ verifierKey, size: tail.size, root: tail.root() }, isDurable)
}

function demandOwn(found: string, own: string): void {
  if (found === own) return
  throw new LedgerError('ledger-foreign', 'the database holds a log of another origin or signing key', {
    expected: own,
    got: found,
    hint: 'a log keeps its origin and key for life; to change either, begin another log',
  })
}

interface Parts {
  readonly database: LedgerDatabase
  readonly signer: CheckpointSigner
  readonly commits: GroupCommit
  readonly mark: MarkFile | undefined
}

/** An open log; see {@link openLedger}. */
export class Ledger {
  readonly #database: LedgerDatabase
  readonly #signer: CheckpointSigner
  readonly #commits: GroupCommit
  readonly #mark: MarkFile | undefined
  #latest: SignedCheckpoint | undefined
  #hasErasedPages = false

  constructor({ database, signer, commits, mark }: Parts) {
    this.#database = database
    this.#signer = signer
    this.#commits = commits
    this.#mark = mark
  }

  get origin(): string {
    return this.#signer.origin
  }

  /** `name+hash+base64`: what others check this log with. */
  get verifierKey(): string {
    return this.#signer.verifierKey
  }

  /** Committed entries, as far as they are known here. */
  get size(): number {
    return this.#commits.tail.size
  }

  /** Committed entries, whoever appended them. @throws {LedgerError} ledger-damaged, ledger-forked */
  async currentSize(): Promise<number> {
    await this.#commits.follow()
    return this.size
  }

  /**
   * Records an entry, once it is on disk. A change is made in the same transaction: it and the entry are committed
   * together. Where the state is not what it was made for, neither is, and nobody else's append suffers.
   * @throws {LedgerError} entry-invalid, entry-too-large, change-refused ({@link ChangeRefused}), ledger-busy,
   * ledger-unavailable, ledger-failed, ledger-damaged, ledger-closed
   */
  append(entry: JsonObject, change: Change = []): Promise<Appended> {
    return this.#commits.append(entry, change)
  }

  /**
   * Erases the content and salt of an entry for good, and records that: `record` says who and why, and `erasedIndex`
   * is added to it. The tree and every receipt of other entries stay as they are.
   * @throws {LedgerError} entry-not-found, entry-erased, and as {@link append}
   */
  async erase(index: number, record: JsonObject): Promise<Erased> {
    if (!isCount(index)) throw notFound(index, this.size)
    const erased = await this.#erased(index, record)
    this.#hasErasedPages = true
    return { index: erased.index, isOverwritten: await this.#overwriteErased() }
  }

  async #erased(index: number, record: JsonObject): Promise<Appended> {
    try {
      return await this.append({ ...record, erasedIndex: index }, [this.#database.erasure(index)])
    } catch (error) {
      if (!(error instanceof ChangeRefused)) throw error
      const [found] = await this.#database.entries(index, index + 1)
      throw found ? alreadyErased(index) : notFound(index, this.size)
    }
  }

  /** Whether the database refused the last write; a {@link probe} or an append that is taken ends it. */
  get isRefusing(): boolean {
    return this.#commits.isRefusing
  }

  /** Whether nothing is written any more until the log is opened again. */
  get hasFailed(): boolean {
    return this.#commits.hasFailed
  }

  /**
   * Commits a change that goes with no entry: readiness. A database that somebody else holds is hardly waited for.
   * @throws {LedgerError} as {@link append}
   */
  probe(change: Change): Promise<void> {
    return this.#commits.probe(change)
  }

  /**
   * The signed state of the log; on disk, and in the mark, before it is shown, so that no crash can take it back.
   * @throws {LedgerError} ledger-unavailable, ledger-failed; ledger-forked, ledger-cut where that would be a second root
   */
  async checkpoint(): Promise<SignedCheckpoint> {
    try {
      await this.currentSize()
      const { tail } = this.#commits
      if (this.#latest?.size !== tail.size) this.#latest = await this.#sign(tail)
      return this.#latest
    } catch (error) {
      throw this.#commits.noteFailure(error)
    }
  }

  /** @throws {LedgerError} entry-not-found, ledger-damaged */
  async entry(index: number): Promise<LedgerEntry> {
    return this.#reaching(async () => {
      if (!isCount(index) || index >= this.size) throw notFound(index, this.size)
      return (await this.#readOne(index)).shown
    })
  }

  /** From `from` upwards, at most `limit` and {@link MAX_PAGE}. @throws {LedgerError} out-of-range, ledger-damaged */
  async entries(page: { readonly from: number; readonly limit: number }): Promise<LedgerEntry[]> {
    if (!isCount(page.from) || !isCount(page.limit)) throw outOfRange('from and limit are not whole numbers')
    const size = page.from + page.limit > this.size ? await this.currentSize() : this.size
    const end = Math.min(size, page.from + Math.min(page.limit, MAX_PAGE))
    const entries: LedgerEntry[] = []
    while (page.from + entries.length < end) {
      const from = page.from + entries.length
      const to = Math.min(end, (Math.floor(from / TILE_WIDTH) + 1) * TILE_WIDTH)
      for (const { shown } of await this.#read(from, to)) entries.push(shown)
    }
    return entries
  }

  /** Against the latest checkpoint. @throws {LedgerError} entry-not-found, entry-erased, ledger-damaged */
  async receipt(index: number): Promise<Receipt> {
    const checkpoint = await this.checkpoint()
    if (!isCount(index) || index >= checkpoint.size) throw notFound(index, checkpoint.size)
    const { shown, salt } = await this.#readOne(index)
    if (shown.entry === null || salt === null) throw alreadyErased(index)
    const inclusion = await this.#reader().inclusion(index, checkpoint.size)
    return {
      format: RECEIPT_FORMAT,
      entry: shown.entry,
      salt: encodeBase64(salt),
      index,
      timestamp: shown.timestamp.toISOString(),
      inclusion: inclusion.map(encodeBase64),
      checkpoint: checkpoint.note,
    }
  }

  /** That the entry is in the tree of the first `size` entries. @throws {LedgerError} out-of-range, ledger-damaged */
  async inclusion(index: number, size: number): Promise<Uint8Array[]> {
    return this.#reaching(() => this.#reader().inclusion(index, size))
  }

  /** That the first `to` entries begin with the first `from`. @throws {LedgerError} out-of-range, ledger-damaged */
  async consistency(from: number, to: number): Promise<Uint8Array[]> {
    return this.#reaching(() => this.#reader().consistency(from, to))
  }

  /** `width` hashes of 32 bytes, as C2SP tlog-tiles serves them. @throws {LedgerError} out-of-range, ledger-damaged */
  async tile(level: number, index: number, width: number): Promise<Uint8Array> {
    return this.#reaching(() => this.#reader().tile(level, index, width))
  }

  /** `width` leaves, as C2SP tlog-tiles serves them. @throws {LedgerError} out-of-range, ledger-damaged */
  async entryBundle(index: number, width: number): Promise<Uint8Array> {
    if (!isCount(index) || !isCount(width) || width === 0 || width > TILE_WIDTH) {
      throw outOfRange(`there is no bundle ${index} with ${width} leaves`)
    }
    return this.#reaching(async () => {
      if (index * TILE_WIDTH + width > this.size) {
        throw outOfRange(`bundle ${index} with ${width} leaves is not in a log of ${this.size} entries`)
      }
      return encodeBundle(await this.#database.leaves(index * TILE_WIDTH, index * TILE_WIDTH + width))
    })
  }

  /** Reads and recomputes the whole log; some seconds for a million entries. @throws {LedgerError} ledger-damaged */
  async check(): Promise<CheckReport> {
    return checkAll({ database: this.#database, signer: this.#signer, tail: this.#commits.tail })
  }

  /** Waits for what was appended; the database is the caller's to close. */
  async close(): Promise<void> {
    await this.#commits.close()
    if (!this.#commits.hasFailed) this.#commits.remember(true)
    if (this.#hasErasedPages) await this.#overwriteErased()
  }

  async #sign(tail: MerkleTail): Promise<SignedCheckpoint> {
    const root = tail.root()
    this.#demandUnsigned(tail.size, root)
    const checkpoint = this.#signer.sign(tail.size, root)
    // Ed25519 is deterministic: the one that was shown for this size is this one, or of another root.
    if ((await this.#database.keepCheckpoint(checkpoint)) !== checkpoint.note) {
      throw new LedgerError('ledger-forked', `another root was signed at ${checkpoint.size} entries`, {
        hint: 'stop writing and restore the database from a backup; keep this one to compare',
      })
    }
    this.#commits.remember(true)
    return checkpoint
  }

  /** What the mark remembers may have been shown to somebody. */
  #demandUnsigned(size: number, root: Uint8Array): void {
    const kept = this.#mark?.kept ?? null
    if (kept === null || kept.verifierKey !== this.verifierKey || kept.size < size) return
    if (kept.size === size) return demandRoot(kept, root)
    throw new LedgerError('ledger-cut', `the log has ${size} entries, and had ${kept.size} once`, {
      hint: 'record what was lost until the log has grown beyond it',
    })
  }

  /** What lies beyond the log as it is known here, another process may have added. */
  async #reaching<T>(read: () => Promise<T>): Promise<T> {
    const { size } = this
    try {
      return await read()
    } catch (error) {
      const isBeyond = error instanceof LedgerError && BEYOND.has(error.code)
      if (!isBeyond || (await this.currentSize()) === size) throw error
      return read()
    }
  }

  #reader(): TreeReader {
    return new TreeReader(this.#database, this.#commits.tail)
  }

  async #readOne(index: number): Promise<ReadEntry> {
    const [read] = await this.#read(index, index + 1)
    if (read === undefined) throw damaged(`entry ${index} is missing`)
    return read
  }

  /** Committed entries, each checked against its leaf. */
  async #read(from: number, to: number): Promise<ReadEntry[]> {
    const [leaves, entries] = await Promise.all([
      this.#database.leaves(from, to),
      this.#database.entries(from, to),
    ])
    return entries.map((stored, at) => {
      const index = from + at
      const leaf = leaves.subarray(at * LEAF_SIZE, (at + 1) * LEAF_SIZE)
      const { salt, content, erasedBy } = verifyEntry(stored, index, leaf)
      const entry = content === null ? null : (JSON.parse(content) as JsonObject)
      return { shown: { index, timestamp: readLeaf(index, leaf).timestamp, entry, erasedBy }, salt }
    })
  }

  async #overwriteErased(): Promise<boolean> {
    this.#hasErasedPages = !(await this.#database.overwriteErased())
    return !this.#hasErasedPages
  }
}

const BEYOND: ReadonlySet<LedgerErrorCode> = new Set(['out-of-range', 'entry-not-found'])

function notFound(index: number, size: number): LedgerError {
  return new LedgerError('entry-not-found', `the log has ${size} entries and none at ${index}`)
}

function alreadyErased(index: number): LedgerError {
  return new LedgerError('entry-erased', `entry ${index} was erased`, {
    hint: 'the entry that records the erasure says who did it and why',
  })
}
