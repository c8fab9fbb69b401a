// Waking a thread takes longer than some calls do. So an instance spins for a little while before it sleeps, if its last
// request came soon after the one before. If it is asked less often, it sleeps at once: the caller may need the processor.

/** How long it spins, and how soon the last request must have come: a wake-up takes as long, there and back. */
const SPIN_MS = 0.03
/** Between two looks at the clock. */
const LOOKS = 8

export class SpinWait {
  readonly #isWanted: boolean
  #startedAt = Number.NEGATIVE_INFINITY
  #wasSoon = false

  /** @param isWanted false if there is no processor to spare: then it never spins */
  constructor(isWanted: boolean) {
    this.#isWanted = isWanted
  }

  /** Called when a wait begins. */
  wait(isReady: () => boolean): void {
    this.#startedAt = performance.now()
    if (!this.#isWanted || !this.#wasSoon) return
    do {
      for (let look = 0; look < LOOKS; look++) if (isReady()) return
    } while (performance.now() - this.#startedAt < SPIN_MS)
  }

  /** Called when it ends, in whatever way. */
  end(): void {
    this.#wasSoon = performance.now() - this.#startedAt < SPIN_MS
  }
}
