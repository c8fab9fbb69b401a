// Waiting for a moment of the clock. A timer counts the time that the machine is awake, and no more than 2^31 ms: after
// a suspend it would come late, after 25 days at once. So the clock is looked at again at least once a minute.

const MAX_WAIT_MS = 60_000

export interface Wait {
  readonly until: Date
  readonly now: () => Date
  /** Time that goes by whatever the clock is set to; what a test passes in. */
  readonly elapsedMs?: () => number
}

/**
 * Calls back once the clock has reached the moment, or as much time has gone by as was left then: a clock that is set
 * back gives nobody more. The function that it returns ends the waiting.
 */
export function atMoment(
  { until, now, elapsedMs = () => performance.now() }: Wait,
  then: () => void,
): () => void {
  const begunMs = elapsedMs()
  const givenMs = until.getTime() - now().getTime()
  let timer: NodeJS.Timeout | null = null
  const look = (): void => {
    const leftMs = Math.min(until.getTime() - now().getTime(), givenMs - (elapsedMs() - begunMs))
    if (leftMs < 0) then()
    else wait(leftMs)
  }
  const wait = (leftMs: number): void => {
    timer = setTimeout(look, Math.min(Math.floor(leftMs) + 1, MAX_WAIT_MS))
    timer.unref()
  }
  wait(Math.max(givenMs, 0))
  return () => {
    if (timer !== null) clearTimeout(timer)
  }
}
