// Regular work, once a minute. Rounds do not overlap; what fails is logged, keeps nothing else from being done, and is tried
// again a minute later.

import type { RefusedAttempts } from '../admin/refused-attempts.ts'
import type { CountedEntries } from '../counted-entries.ts'
import { describeError, type Logger } from '../http/logging.ts'
import type { BrokerKeys } from '../keys/broker-keys.ts'

const INTERVAL_MS = 60_000

/** By its name in the log. */
export type Task = readonly [name: string, work: () => Promise<unknown>]

export class Rounds {
  readonly #tasks: readonly Task[]
  readonly #logger: Logger
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> = Promise.resolve()

  constructor(tasks: readonly Task[], logger: Logger) {
    this.#tasks = tasks
    this.#logger = logger
    this.#timer = setInterval(() => void this.run(), INTERVAL_MS)
    this.#timer.unref()
  }

  /** One round. */
  run(): Promise<void> {
    this.#running = this.#running.then(() => attemptAll(this.#tasks, this.#logger))
    return this.#running
  }

  /** Waits for a round that is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }
}

export async function attemptAll(tasks: readonly Task[], logger: Logger): Promise<void> {
  for (const [task, work] of tasks) {
    try {
      await work()
    } catch (error) {
      logger.error({ task, failure: describeError(error) }, 'housekeeping failed')
    }
  }
}

/** What each process that serves does for itself. */
export function ownTasks(parts: {
  readonly keys: BrokerKeys
  readonly attempts: RefusedAttempts
  readonly counted: CountedEntries
}): readonly Task[] {
  const { keys, attempts, counted } = parts
  return [
    ['keys', () => keys.refresh()],
    ['attempts', () => attempts.flush('ended')],
    ['counted', () => counted.flush()],
  ]
}
