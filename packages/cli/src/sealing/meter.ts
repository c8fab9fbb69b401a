// The progress of a long piece of work with bytes: one line that replaces itself for a person, one now and then for a log.

import type { Terminal } from '../terminal/terminal.ts'

const SCREEN_MS = 200
const LOG_MS = 10_000

export interface Meter {
  readonly add: (bytes: number) => void
  /** What is worked on. */
  readonly name: (what: string) => void
  readonly end: () => void
}

export interface MeterOptions {
  /** What is done, e.g. `sealed`. */
  readonly verb: string
  /** In bytes; null if nobody knows. */
  readonly total: number | null
  /** In milliseconds, from anywhere. Default: the system’s. */
  readonly clock?: () => number
}

export function startMeter(
  { status, note }: Pick<Terminal, 'status' | 'note'>,
  { verb, total, clock = () => performance.now() }: MeterOptions,
): Meter {
  const startedAt = clock()
  const period = status === null ? LOG_MS : SCREEN_MS
  let [done, shownAt, what] = [0, startedAt, '']
  return {
    name: next => void (what = next),
    add: bytes => {
      done += bytes
      const now = clock()
      if (now - shownAt < period) return
      shownAt = now
      const rate = `${megabytes((done * 1000) / (now - startedAt))}/s`
      const share = total === null || total === 0 ? '' : ` of ${megabytes(total)}`
      const line = `${verb} ${megabytes(done)}${share}, ${rate} ${what}`.trimEnd()
      if (status === null) note(line)
      else status(line)
    },
    end: () => status?.(null),
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
}
