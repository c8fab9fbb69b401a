// Metrics of all threads as one text: what each has counted is added up.

import { AggregatorRegistry } from 'prom-client'
import type { Metrics } from '../http/metrics.ts'

/** `others`: of other threads, as `getMetricsAsJSON` gives them. */
export async function metricsText({ registry }: Metrics, others: readonly object[]): Promise<string> {
  if (others.length === 0) return registry.metrics()
  return AggregatorRegistry.aggregate([await registry.getMetricsAsJSON(), ...others]).metrics()
}
