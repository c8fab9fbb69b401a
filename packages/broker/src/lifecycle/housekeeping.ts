// Regular work, once a minute: old evidence and old refusals go, keys give way to their successors, counts of refused
// attempts reach the ledger, the clock and the key file are looked at. A failure is logged and tried again a minute later.

import type { RefusedAttempts } from '../admin/refused-attempts.ts'
import type { CountedEntries } from '../counted-entries.ts'
import { type EntryType, entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import { describeError, type Logger } from '../http/logging.ts'
import type { JsonObject } from '../json.ts'
import type { BrokerKeys } from '../keys/broker-keys.ts'
import type { KeyEncryption } from '../keys/keys.ts'
import type { Store } from '../store/store.ts'
import { ClockWatch } from './clock-watch.ts'

const INTERVAL_MS = 60_000

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
  readonly #timer: NodeJS.Timeout
  readonly #clock: ClockWatch
  #purgeFromMs = Number.NEGATIVE_INFINITY
  #running: Promise<void> = Promise.resolve()

  constructor(parts: HousekeepingParts) {
    this.#parts = parts
    this.#clock = new ClockWatch(parts.now, parts.elapsedMs)
    this.#timer = setInterval(() => void this.run(), INTERVAL_MS)
    this.#timer.unref()
  }

  /** One round; rounds do not overlap. */
  run(): Promise<void> {
    this.#running = this.#running.then(() => this.#round())
    return this.#running
  }

  /** Waits for a round that is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  async #round(): Promise<void> {
    const { keys, attempts, counted, store } = this.#parts
    await this.#attempt('clock', () => this.#watchClock())
    await this.#attempt('key file', async () => this.#watchKeyFile())
    await this.#attempt('keys', () => keys.refresh())
    await this.#attempt('attempts', () => attempts.flush('ended'))
    await this.#attempt('counted', () => counted.flush())
    await this.#attempt(
      'store',
      async () => void (await store.exclusively('housekeeping', () => this.#shared())),
    )
  }

  /** What is done once in all, however many processes work on the store. */
  async #shared(): Promise<void> {
    const { keys, elapsedMs } = this.#parts
    await this.#attempt('keys', () => keys.maintain())
    if (elapsedMs() < this.#purgeFromMs) return
    await this.#attempt('refusals', () => this.#purgeRefused())
    await this.#attempt('evidence', () => this.#purgeEvidence())
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

  async #attempt(task: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#parts.logger.error({ task, failure: describeError(error) }, 'housekeeping failed')
    }
  }
}
