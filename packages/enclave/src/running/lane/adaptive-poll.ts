// If answers come quickly, the platform polls for the next one before it waits for the doorbell; all other events run in
// between. If polling was in vain, as on a busy machine, it rests for a time that doubles each time, so that polling in
// vain costs a twentieth of the time at most.

/** It polls for answers that come faster than this, and no longer than this for one. */
const POLL_MS = 0.05
const LEAST_REST_MS = 1
const MOST_REST_MS = 64

export class AdaptivePoll {
  readonly #isWanted: boolean
  /** When something was posted or answered last. */
  #movedAt = 0
  /** Nobody has polled since something was posted. */
  #isNew = false
  /** How long one answer takes, as last seen. */
  #answerMs = Number.POSITIVE_INFINITY
  /** How long it rests after polling in vain, and until when it rests now. */
  #restMs = LEAST_REST_MS
  #restsUntil = 0

  /** @param isWanted false if there is no processor to spare: then it never polls */
  constructor(isWanted: boolean) {
    this.#isWanted = isWanted
  }

  /** Something was posted to an idle instance: whether to poll for the answer. */
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

  /** Whether to poll once more. */
  goesOn(now: number): boolean {
    // Posting itself may have taken long.
    if (this.#isNew) this.#movedAt = now
    this.#isNew = false
    if (!this.#isUseful(now)) return false
    if (now - this.#movedAt < POLL_MS) return true
    this.#restsUntil = now + this.#restMs
    this.#restMs = Math.min(2 * this.#restMs, MOST_REST_MS)
    return false
  }

  #isUseful(now: number): boolean {
    return this.#isWanted && this.#answerMs < POLL_MS && now >= this.#restsUntil
  }
}
