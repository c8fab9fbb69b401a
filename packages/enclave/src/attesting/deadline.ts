// Platforms take their time, and some never answer: a read that hangs in the kernel cannot be taken back, only left behind.
import { setTimeout as sleep } from 'node:timers/promises'
import { EnclaveError } from '../errors.ts'

/** In all, with every try. A TD waits 30 s for its host, in steps of 1 s. */
export const ATTESTATION_TIMEOUT_MS = 45_000

/** Each keeps one of the four threads that all file operations of a process share. */
const MAX_LEFT_BEHIND = 2

/** Of work that took too long, how much is still at it. */
let leftBehind = 0

/**
 * The outcome of the work, unless it takes longer; then the signal says so to what of it goes on. None is begun while too
 * much of it goes on: a platform that never answers would stop this process.
 * @throws {EnclaveError} attestation-failed, attestation-busy
 */
export async function withinTime<T>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (leftBehind >= MAX_LEFT_BEHIND) {
    throw new EnclaveError('attestation-busy', 'the platform still owes what it was asked for before', {
      hint: 'the quoting service of the host does not answer; its log says why',
    })
  }
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
  const working = work(over.signal)
  over.signal.addEventListener('abort', () => {
    leftBehind++
    const back = (): void => void leftBehind--
    working.then(back, back)
  })
  try {
    return await Promise.race([working, expired])
  } finally {
    timer.abort()
  }
}
