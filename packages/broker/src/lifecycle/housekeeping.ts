// Regular work, once a minute: old evidence and old refusals go, keys give way to their successors, counts of refused
// attempts reach the ledger, the clock and the key file are looked at.

import type { RefusedAttempts } from '../admin/refused-attempts.ts'
import type { CountedEntries } from '../counted-entries.ts'
import { type EntryType, entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import type { Logger } from '../http/logging.ts'
import type { JsonObject } from '../json.ts'
import type { BrokerKeys } from '../keys/broker-keys.ts'
import type { KeyEncryption } from '../keys/keys.ts'
import type { Store } from '../store/store.ts'
import { ClockWatch } from './clock-watch.ts'
import { attemptAll, ownTasks, Rounds, type Task } from './rounds.ts'

/** Time for somebody to set a clock right before what it makes look old is deleted for good. */
const PURGE_DELAY_MS = 3_600_000

export interface HousekeepingParts {
  readonly store: Store
  readonly keys: BrokerKeys
  readonly kek: Pick<KeyEncryption, 'assertKept'>
  readonly attempts: RefusedAttempts
  readonly counted: CountedEntries
  readonly evidenceRetentionMs: number
  readonly refusalRetentionMs: number
  readonly now: () => Date
  readonly elapsedMs: () => number
  /** Appends an entry that no change of the store goes with. */
  readonly record: (entry: JsonObject) => Promise<unknown>
  readonly logger: Logger
}

export class Housekeeping {
  readonly #parts: HousekeepingParts
  readonly #rounds: Rounds
  readonly #clock: ClockWatch
  #purgeFromMs = Number.NEGATIVE_INFINITY

  constructor(parts: HousekeepingParts) {
    this.#parts = parts
    this.#clock = new ClockWatch(parts.now, parts.elapsedMs)
    const tasks: readonly Task[] = [
      ['clock', () => this.#watchClock()],
      ['key file', async () => this.#watchKeyFile()],
      ...ownTasks(parts),
      ['store', () => parts.store.exclusively('housekeeping', () => this.#shared())],
    ]
    this.#rounds = new Rounds(tasks, parts.logger)
  }

  /** One round; rounds do not overlap. */
  run(): Promise<void> {
    return this.#rounds.run()
  }

  /** Waits for a round that is under way. */
  stop(): Promise<void> {
    return this.#rounds.stop()
  }

  /** What is done once in all, however many processes work on the store. */
  #shared(): Promise<void> {
    const { keys, elapsedMs, logger } = this.#parts
    const purging: readonly Task[] = [
      ['refusals', () => this.#purgeRefused()],
      ['evidence', () => this.#purgeEvidence()],
    ]
    const maintaining: Task = ['keys', () => keys.maintain()]
    return attemptAll(elapsedMs() < this.#purgeFromMs ? [maintaining] : [maintaining, ...purging], logger)
  }

  async #watchClock(): Promise<void> {
    const { now, elapsedMs, logger, record } = this.#parts
    const stepMs = this.#clock.look()
    if (stepMs === 0) return
    this.#purgeFromMs = elapsedMs() + PURGE_DELAY_MS
    logger.warn({ stepMs }, 'the clock was set; sessions and tokens may end early or late')
    await record(entry({ type: 'clock.stepped', at: now(), actor: { system: 'clock' } }, { stepMs }))
  }

  /** Where nobody asks for readiness, the next start would be the first to tell, and too late. */
  #watchKeyFile(): void {
    const { kek, logger } = this.#parts
    try {
      kek.assertKept()
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      logger.error({ reason: error.message, hint: error.detail.hint }, 'the key file is lost')
    }
  }

  async #purgeEvidence(): Promise<void> {
    const { store, now, evidenceRetentionMs } = this.#parts
    const before = new Date(now().getTime() - evidenceRetentionMs)
    await store.attestations.purgeEvidence(before, this.#purged('evidence.purged', before))
  }

  async #purgeRefused(): Promise<void> {
    const { store, now, refusalRetentionMs } = this.#parts
    const before = new Date(now().getTime() - refusalRetentionMs)
    await store.attestations.purgeRefused(before, this.#purged('refusals.purged', before))
  }

  #purged(type: EntryType, before: Date) {
    const head = { type, at: this.#parts.now(), actor: { system: 'retention' } } as const
    return (count: number) => entry(head, { before: before.toISOString(), count })
  }
}
