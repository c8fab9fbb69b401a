// How long single requests take, end to end: one after the other over one channel, in rounds, so that the spread shows.

/** Of one round, in milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface LatencyOptions {
  readonly rounds: number
  readonly requests: number
  /** Sends one and resolves with its answer. */
  readonly send: (index: number) => Promise<unknown>
}

export async function measureLatency({ rounds, requests, send }: LatencyOptions): Promise<Latency[]> {
  const results: Latency[] = []
  for (let round = 0; round < rounds; round++) {
    const times = new Float64Array(requests)
    for (let index = 0; index < requests; index++) {
      const start = performance.now()
      await send(index)
      times[index] = performance.now() - start
    }
    times.sort()
    results.push({ p50: quantile(times, 0.5), p99: quantile(times, 0.99), max: quantile(times, 1) })
  }
  return results
}

/** `median (lowest to highest)` over the rounds, in ms. */
export function spreadOf(results: readonly Latency[], figure: keyof Latency): string {
  const sorted = Float64Array.from(results, result => result[figure]).sort()
  const [low, middle, high] = [0, 0.5, 1].map(part => quantile(sorted, part).toFixed(3))
  return results.length === 1 ? `${middle} ms` : `${middle} ms (${low} to ${high})`
}

/** Nearest rank. */
function quantile(sorted: Float64Array, part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN
}
