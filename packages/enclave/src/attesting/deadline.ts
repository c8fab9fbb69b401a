// Platforms take their time, and some never answer: a read that hangs in the kernel cannot be taken back, only left behind.
import { setTimeout as sleep } from 'node:timers/promises'
import { EnclaveError } from '../errors.ts'

/** In all, with every try. A TD waits 30 s for its host, in steps of 1 s. */
export const ATTESTATION_TIMEOUT_MS = 45_000

/**
 * The outcome of the work, unless it takes longer; then the signal says so to what of it goes on.
 * @throws {EnclaveError} attestation-failed
 */
export async function withinTime<T>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timer = new AbortController()
  const over = new AbortController()
  const expired = sleep(timeoutMs, undefined, { signal: timer.signal }).then(
    () => {
      over.abort()
      throw new EnclaveError('attestation-failed', `the platform gave no evidence within ${timeoutMs} ms`, {
        hint: 'the quoting service of the host does not answer; its log says why',
      })
    },
    // The work was done before.
    () => new Promise<never>(() => {}),
  )
  try {
    return await Promise.race([work(over.signal), expired])
  } finally {
    timer.abort()
  }
}
