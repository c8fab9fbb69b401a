// Where answers come quickly the platform does not sleep before it has looked for the next one a few times, with all other
// events in between. Where that turns out to be for nothing, as on a machine that has other things to do, it is not done
// again for some time: it costs a twentieth of the time at most.

/** It looks for answers that come faster than this, and no longer than this for one. */
const WATCH_MS = 0.05
const LEAST_REST_MS = 1
const MOST_REST_MS = 64

export class Watch {
  readonly #isWanted: boolean
  /** When there was something last. */
  #movedAt = 0
  /** Nobody has looked since something was posted. */
  #isNew = false
  /** How long one answer takes, as last seen. */
  #answerMs = Number.POSITIVE_INFINITY
  /** How long it is not done after it was for nothing, and until when. */
  #restMs = LEAST_REST_MS
  #restsUntil = 0

  /** @param isWanted where there is no processor to spare, it sleeps at once */
  constructor(isWanted: boolean) {
    this.#isWanted = isWanted
  }

  /** Something was posted to an instance that had nothing to do. Whether to look for the answer. */
  begin(now: number): boolean {
    this.#movedAt = now
    this.#isNew = true
    return this.#isUseful(now)
  }

  saw(answers: number, now: number): void {
    this.#answerMs = (now - this.#movedAt) / answers
    this.#movedAt = now
    if (this.#isUseful(now)) this.#restMs = LEAST_REST_MS
  }

  /** Whether to look again, after it has looked. */
  goesOn(now: number): boolean {
    // To post may have taken long itself.
    if (this.#isNew) this.#movedAt = now
    this.#isNew = false
    if (!this.#isUseful(now)) return false
    if (now - this.#movedAt < WATCH_MS) return true
    this.#restsUntil = now + this.#restMs
    this.#restMs = Math.min(2 * this.#restMs, MOST_REST_MS)
    return false
  }

  #isUseful(now: number): boolean {
    return this.#isWanted && this.#answerMs < WATCH_MS && now >= this.#restsUntil
  }
}
