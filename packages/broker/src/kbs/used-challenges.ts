// Challenges that were answered already: each takes one attestation here. Evidence with a replayed cookie would win
// nothing but work for the broker and a line in its ledger; this keeps that to once for each replica. Bounded: under
// a flood the oldest are forgotten, and the limit on new challenges holds.

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
