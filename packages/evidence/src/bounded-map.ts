// A map that forgets what was not used lately: every cache here is fed by unauthenticated input. Two generations
// instead of an exact order, so that a hit, which is the common case, changes nothing.

export class BoundedMap<K, V> {
  #young = new Map<K, V>()
  #youngSize = 0
  #old = new Map<K, V>()
  readonly #generation: number
  readonly #sizeOf: (value: V) => number

  /**
   * @param capacity the most that is kept, in the unit of `sizeOf`; at least half as much of the last used is.
   * @param sizeOf what a value counts for; without it, each entry counts for one. A value above half of the capacity is
   * not kept.
   */
  constructor(capacity: number, sizeOf: (value: V) => number = () => 1) {
    this.#generation = Math.max(1, capacity >> 1)
    this.#sizeOf = sizeOf
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
    this.#old.delete(key)
    const young = this.#young.get(key)
    if (young === undefined) return
    this.#young.delete(key)
    this.#youngSize -= this.#sizeOf(young)
  }

  set(key: K, value: V): void {
    this.delete(key)
    const size = this.#sizeOf(value)
    if (size > this.#generation) return
    if (this.#youngSize + size > this.#generation) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngSize = 0
    }
    this.#young.set(key, value)
    this.#youngSize += size
  }
}
