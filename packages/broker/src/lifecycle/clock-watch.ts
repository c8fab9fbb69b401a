// Whether somebody set the clock: the time of day is compared with a clock that nobody sets. What a machine sleeps
// counts as a step forward, as its span clock stands still meanwhile.

/** Slow corrections, half a millisecond in a second at most, stay far below it between two looks. */
const TOLERANCE_MS = 2000

export class ClockWatch {
  readonly #now: () => Date
  readonly #elapsedMs: () => number
  #difference: number

  constructor(now: () => Date, elapsedMs: () => number) {
    this.#now = now
    this.#elapsedMs = elapsedMs
    this.#difference = this.#measure()
  }

  /** By how many milliseconds the clock was set since the last look, negative for back; 0 where it was not. */
  look(): number {
    const difference = this.#measure()
    const stepMs = Math.round(difference - this.#difference)
    this.#difference = difference
    return Math.abs(stepMs) < TOLERANCE_MS ? 0 : stepMs
  }

  #measure(): number {
    return this.#now().getTime() - this.#elapsedMs()
  }
}
