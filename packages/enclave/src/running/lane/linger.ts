// To wake a thread takes longer than some calls do. An instance whose last request came soon after the one before looks
// for the next a little while before it sleeps. One that is asked less often sleeps at once: whoever asks it may need the
// processor that it would look on.

/** How long it looks, and how soon the last request must have come: as long as a waking takes, there and back. */
const LINGER_MS = 0.03
/** Between two looks at the clock. */
const LOOKS = 8

export class Linger {
  readonly #isWanted: boolean
  #startedAt = Number.NEGATIVE_INFINITY
  #wasSoon = false

  /** @param isWanted where there is no processor to spare, it never waits */
  constructor(isWanted: boolean) {
    this.#isWanted = isWanted
  }

  /** At the beginning of a wait. */
  wait(isReady: () => boolean): void {
    this.#startedAt = performance.now()
    if (!this.#isWanted || !this.#wasSoon) return
    do {
      for (let look = 0; look < LOOKS; look++) if (isReady()) return
    } while (performance.now() - this.#startedAt < LINGER_MS)
  }

  /** At its end, however it came. */
  end(): void {
    this.#wasSoon = performance.now() - this.#startedAt < LINGER_MS
  }
}
