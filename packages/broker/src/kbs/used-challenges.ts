// Challenges whose attestation's head has arrived here: each costs this process one body. Evidence with a replayed cookie would
// win nothing but work; that it gets one verdict in all, whichever process answers, is the store's. Bounded: under a flood the
// oldest are forgotten, and the limit on new challenges holds.

import { BoundedMap } from '@casemate/evidence'

/** A minute of challenges at 1,000 a second, or the last half of one. */
export const MAX_REMEMBERED = 65_536

export class UsedChallenges {
  // Not a set from which the first is taken: finding it would pass over all that were taken before, which cost 20 µs.
  readonly #nonces = new BoundedMap<string, true>(MAX_REMEMBERED)

  /** Marks `nonce` as used; false where it was used before. */
  use(nonce: string): boolean {
    if (this.#nonces.get(nonce) !== undefined) return false
    this.#nonces.set(nonce, true)
    return true
  }
}
