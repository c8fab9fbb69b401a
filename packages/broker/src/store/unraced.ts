// What is decided or changed from what is stored, begun anew where somebody else changed that meanwhile.

import { BrokerError, type BrokerErrorCode } from '../errors.ts'

/** Administrators' changes are rare: whoever meets this many in a row asks again. */
const MAX_ATTEMPTS = 3

/** @param raced what `attempt` throws where it came too late; null where nothing can have come before it, which is tried once */
export async function untilUnraced<Done>(
  raced: BrokerErrorCode | null,
  attempt: () => Promise<Done>,
  maxAttempts = MAX_ATTEMPTS,
): Promise<Done> {
  for (let made = 1; ; made++) {
    try {
      return await attempt()
    } catch (error) {
      const isRaced = error instanceof BrokerError && error.code === raced
      if (!isRaced || made === maxAttempts) throw error
    }
  }
}
