// How long single requests take, end to end: one after the other over one channel, in rounds, so that the spread shows.
import { quantile } from './figures.ts'

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
