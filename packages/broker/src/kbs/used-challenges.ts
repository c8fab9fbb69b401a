// Challenges whose attestation's head has arrived here: each costs this process one body. Evidence with a replayed cookie would
// win nothing but work; that it gets one verdict in all, whichever process answers, is the store's. Bounded: under a flood the
// oldest are forgotten, and the limit on new challenges holds.

/** A minute of challenges at 1,000 a second. */
const MAX_REMEMBERED = 65_536

export class UsedChallenges {
  readonly #nonces = new Set<string>()

  /** Marks `nonce` as used; false where it was used before. */
  use(nonce: string): boolean {
    if (this.#nonces.has(nonce)) return false
    if (this.#nonces.size >= MAX_REMEMBERED) {
      const [oldest] = this.#nonces
      if (oldest !== undefined) this.#nonces.delete(oldest)
    }
    this.#nonces.add(nonce)
    return true
  }
}
