// Time and chance as an agent sees them; a test has its own.

import { setTimeout as sleep } from 'node:timers/promises'

/** A point in time on both clocks of a machine. */
export interface Moment {
  /** Since the epoch; jumps if somebody sets it, and goes on while the machine sleeps. */
  readonly wallMs: number
  /** Since some start; never jumps, and stands still while the machine sleeps. */
  readonly monotonicMs: number
}

/** Time, chance and waiting, in milliseconds. */
export interface Clock {
  readonly at: () => Moment
  /** From 0 up to, and without, 1. */
  readonly random: () => number
  /** Resolves after so many milliseconds, or at once when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
}

/** The machine's own. */
export const SYSTEM_CLOCK: Clock = {
  at: () => ({ wallMs: Date.now(), monotonicMs: performance.now() }),
  random: () => Math.random(),
  wait: (ms, signal) =>
    sleep(ms, undefined, { signal, ref: true }).catch((error: unknown) => {
      if (!signal.aborted) throw error
    }),
}
