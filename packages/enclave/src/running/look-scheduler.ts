// When the platform looks at an instance's replies without having been told: at once after all other events, after a
// while, and when the time of the first job is over. One timer each, however many jobs there are.

/** The doorbell may wait for more replies if there are more jobs; an answer before a slow job waits no longer than this. */
const LATER_MS = 2

export interface Looks {
  readonly onSoon: () => void
  readonly onLater: () => void
  /** When to look at the limit again, in milliseconds; null if nothing is under way. */
  readonly onLimit: () => number | null
}

export class LookScheduler {
  readonly #looks: Looks
  /** For one job. */
  readonly #callMs: number
  /** When the first job was seen to be the first: its time runs from then on. */
  #firstSince = 0
  #isSoon = false
  #later: NodeJS.Timeout | null = null
  #limit: NodeJS.Timeout | null = null
  #isStopped = false

  constructor(callMs: number, looks: Looks) {
    this.#callMs = callMs
    this.#looks = looks
  }

  /** Another job is the first one. */
  beginFirst(now: number): void {
    this.#firstSince = now
  }

  /** Of the first job's time; negative if it is over. */
  leftMs(now: number): number {
    return this.#firstSince + this.#callMs - now
  }

  soon(): void {
    if (this.#isSoon) return
    this.#isSoon = true
    setImmediate(() => {
      this.#isSoon = false
      if (!this.#isStopped) this.#looks.onSoon()
    })
  }

  /** Once, however often it is asked for meanwhile. */
  later(): void {
    this.#later ??= setTimeout(() => {
      this.#later = null
      this.#looks.onLater()
    }, LATER_MS)
  }

  /** Looks at the limit when the time of a job is over, if that is not due already. */
  limit(): void {
    this.#limit ??= this.#limitIn(this.#callMs)
  }

  stop(): void {
    this.#isStopped = true
    if (this.#limit !== null) clearTimeout(this.#limit)
    if (this.#later !== null) clearTimeout(this.#later)
  }

  /** While it looks the timer counts as running: a job that is posted meanwhile does not put the next look off. */
  #limitIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      const next = this.#looks.onLimit()
      this.#limit = next === null || this.#isStopped ? null : this.#limitIn(next)
    }, ms)
  }
}
