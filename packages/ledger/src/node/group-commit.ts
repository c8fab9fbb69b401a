// Collects appends and commits them in batches. Holds the committed state: it changes only after a COMMIT returned,
// and promises are settled only then. The queue is bounded, so that a stalled disk costs refusals and not memory.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { JsonObject } from '../canonical.ts'
import { LedgerError } from '../errors.ts'
import type { Change, Met } from './change.ts'
import { demandContinued, follow } from './follow.ts'
import { canonicalEntry } from './growth.ts'
import type { Append, Batch, LedgerDatabase, Outcome } from './ledger-database.ts'
import { failureOf, isFinal } from './storage-failure.ts'
import type { MerkleTail } from './tail.ts'

/** In one transaction: some 20 ms of work, after which others get their turn. */
export const MAX_BATCH = 4_096
/** Appends that wait; more are refused. Two thirds of a second at full speed. */
export const MAX_WAITING = 65_536
/** Canonical entries and the values of their changes that wait, in UTF-16 units and bytes. */
export const MAX_WAITING_LENGTH = 64 * 1024 * 1024
const RETRY_AFTER_MS = 1_000
/**
 * A batch is complete when so many turns of the event loop brought nothing to it, some microseconds each, or after so many
 * that did. A turn takes one new connection: those that came together append in turns that follow one another.
 */
const QUIET_TURNS = 3
const MAX_TURNS = 16

/** An append that is on disk. */
export interface Appended {
  readonly index: number
  /** As it stands in the leaf. */
  readonly timestamp: Date
  /** What each statement of its change met. */
  readonly met: readonly Met[]
}

interface Waiting extends Append {
  /** As {@link MAX_WAITING_LENGTH} counts. */
  readonly length: number
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: unknown) => void
}

/** What the owner of the log has to say before a write, and hears after the last one. */
export interface CommitGuards {
  /** Asked right before each batch is written; what it throws refuses the appends in it. */
  readonly assertWritable?: () => void
  /** Called once, where nothing is written any more until the log is opened again. */
  readonly onFailure?: (failure: LedgerError) => void
  /** Told of each state that was committed, before whoever appended hears of it. */
  readonly remember?: Remember
}

/** What a batch is made with. */
export interface CommitSources extends Pick<Batch, 'now' | 'randomBytes'> {
  readonly database: LedgerDatabase
}

/** Notes a committed state outside the database; on disk when it returns if `isDurable`. */
export type Remember = (tail: MerkleTail, isDurable: boolean) => void

export class GroupCommit {
  readonly #sources: CommitSources
  readonly #guards: CommitGuards
  #tail: MerkleTail
  #waiting: Waiting[] = []
  #waitingLength = 0
  #isScheduled = false
  /** The batch that is being committed, and before it all others: one at a time. */
  #committing: Promise<void> = Promise.resolve()
  #isClosed = false
  #failure: LedgerError | undefined
  #isRefusing = false

  constructor(sources: CommitSources, tail: MerkleTail, guards: CommitGuards = {}) {
    this.#sources = sources
    this.#tail = tail
    this.#guards = guards
  }

  /** The committed state; never written to again. */
  get tail(): MerkleTail {
    return this.#tail
  }

  async append(entry: JsonObject, change: Change): Promise<Appended> {
    // Written down at once: what the caller does to the object afterwards does not matter.
    const content = canonicalEntry(entry)
    const length = content.length + lengthOf(change)
    this.#demandRoom(length)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ content, change, length, resolve, reject })
      this.#waitingLength += length
      this.#schedule()
    })
  }

  /** Whether the last batch, or whatever was written since, was refused by the database. */
  get isRefusing(): boolean {
    return this.#isRefusing
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /** Notes the committed state outside the database. @throws {LedgerError} ledger-failed, ledger-unavailable */
  remember(isDurable: boolean): void {
    this.#guards.remember?.(this.#tail, isDurable)
  }

  /** Goes on from what others have appended. @throws {LedgerError} ledger-forked where that is no continuation; ledger-damaged */
  async follow(): Promise<void> {
    const known = this.#tail
    try {
      await this.#take(await follow(this.#sources.database, known), known)
    } catch (error) {
      throw error instanceof LedgerError && isFinal(error) ? this.noteFailure(error) : error
    }
  }

  /** Commits a change that is no entry, and notes the state: whether the disk takes both. @throws {LedgerError} as an append */
  async probe(change: Change): Promise<void> {
    this.#demandRoom(0)
    this.#guards.assertWritable?.()
    try {
      await this.#sources.database.write(change)
      this.remember(true)
      this.#isRefusing = false
    } catch (error) {
      throw this.noteFailure(error)
    }
  }

  /** What a write failed with, in the log's words; after a final failure nothing is written any more. */
  noteFailure(error: unknown): LedgerError {
    const failure = failureOf(error)
    this.#isRefusing = true
    if (isFinal(failure) && this.#failure === undefined) {
      this.#failure = failure
      this.#guards.onFailure?.(failure)
    }
    return failure
  }

  /** Commits what waits, and takes nothing more. */
  async close(): Promise<void> {
    this.#isClosed = true
    do await this.#commitNext()
    while (this.#waiting.length > 0)
  }

  #demandRoom(length: number): void {
    if (this.#isClosed) throw new LedgerError('ledger-closed', 'the ledger was closed')
    if (this.#failure !== undefined) throw this.#failure
    if (this.#waiting.length >= MAX_WAITING || this.#waitingLength + length > MAX_WAITING_LENGTH) {
      throw new LedgerError('ledger-busy', `${this.#waiting.length} appends are waiting already`, {
        expected: `at most ${MAX_WAITING} appends of ${MAX_WAITING_LENGTH} characters together, with their changes`,
        retryAfterMs: RETRY_AFTER_MS,
      })
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    void this.#commitGathered()
  }

  async #commitGathered(): Promise<void> {
    await this.#gather()
    await this.#commitNext()
    this.#isScheduled = false
    if (this.#waiting.length > 0) this.#schedule()
  }

  /** Waits for those who are about to append, so that they share one sync. */
  async #gather(): Promise<void> {
    let [seen, quiet] = [0, 0]
    for (let turn = 0; turn < MAX_TURNS && quiet < QUIET_TURNS; turn++) {
      await nextTurn()
      quiet = this.#waiting.length > seen ? 0 : quiet + 1
      seen = this.#waiting.length
      if (seen >= MAX_BATCH) return
    }
  }

  /** What waits when the batch before is done. Never rejects: each append hears for itself. */
  #commitNext(): Promise<void> {
    this.#committing = this.#committing.then(() => this.#flush())
    return this.#committing
  }

  async #flush(): Promise<void> {
    const appends = this.#waiting.slice(0, MAX_BATCH)
    if (appends.length === 0) return
    this.#waiting = this.#waiting.slice(MAX_BATCH)
    for (const { length } of appends) this.#waitingLength -= length
    try {
      this.#guards.assertWritable?.()
    } catch (error) {
      for (const { reject } of appends) reject(error)
      return
    }
    await this.#commit(appends)
  }

  async #commit(appends: readonly Waiting[]): Promise<void> {
    try {
      if (this.#failure !== undefined) throw this.#failure
      const { database, ...sources } = this.#sources
      const known = this.#tail
      const { tail, outcomes, trouble } = await database.commit({ appends, tail: known, ...sources })
      await this.#take(tail, known)
      this.#isRefusing = false
      if (trouble !== null) this.noteFailure(trouble)
      this.#rememberBatch()
      for (const [at, outcome] of outcomes.entries()) settle(appends[at], outcome)
    } catch (error) {
      const failure = this.noteFailure(error)
      for (const { reject } of appends) reject(failure)
    }
  }

  /** Takes what continues `known`; where another state was taken meanwhile, one of the two has to continue the other. */
  async #take(found: MerkleTail, known: MerkleTail): Promise<void> {
    for (let checked = known; this.#tail !== checked; ) {
      checked = this.#tail
      const [shorter, longer] = found.size < checked.size ? [found, checked] : [checked, found]
      await demandContinued(this.#sources.database, shorter, longer)
    }
    if (found.size > this.#tail.size) this.#tail = found
  }

  /** The batch is on disk, and so acknowledged also where it cannot be noted; that is then seen by a probe. */
  #rememberBatch(): void {
    try {
      this.remember(false)
    } catch (error) {
      this.noteFailure(error)
    }
  }
}

function settle(append: Waiting | undefined, outcome: Outcome): void {
  if (outcome.ok) append?.resolve({ ...outcome.position, met: outcome.met })
  else append?.reject(outcome.error)
}

/** Of the values alone: statements are constant texts. */
function lengthOf(change: Change): number {
  let length = 0
  for (const { values } of change) {
    for (const value of values) {
      if (typeof value === 'string' || value instanceof Uint8Array) length += value.length
    }
  }
  return length
}
