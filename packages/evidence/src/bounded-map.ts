// A map that forgets what was not used lately: every cache here is fed by unauthenticated input. Two generations
// instead of an exact order, so that a hit, which is the common case, changes nothing.

export class BoundedMap<K, V> {
  #young = new Map<K, V>()
  #old = new Map<K, V>()
  readonly #generation: number

  /** @param capacity the most entries that are kept; at least half as many of the last used are. */
  constructor(capacity: number) {
    this.#generation = Math.max(1, capacity >> 1)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(key: K): V | undefined {
    const value = this.#young.get(key)
    if (value !== undefined) return value
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  delete(key: K): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  set(key: K, value: V): void {
    this.#old.delete(key)
    if (!this.#young.has(key) && this.#young.size >= this.#generation) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }
}
