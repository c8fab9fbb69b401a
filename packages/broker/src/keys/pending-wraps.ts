// Writes that have wrapped something under the key-encryption key and not yet committed it. A rotation waits for
// those before it retires a version: otherwise one could commit a blob that nothing opens any more.

/** Where such writes run. */
export type Wraps = Pick<PendingWraps, 'run'>

export class PendingWraps {
  readonly #pending = new Set<Promise<unknown>>()

  async run<T>(work: () => Promise<T>): Promise<T> {
    const promise = work()
    this.#pending.add(promise)
    try {
      return await promise
    } finally {
      this.#pending.delete(promise)
    }
  }

  /** Resolves once everything that runs now has ended, well or badly. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pending)
  }
}
