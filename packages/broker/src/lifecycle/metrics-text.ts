// Metrics of all processes as one text: what each has counted is added up.

import { AggregatorRegistry, type MetricObject } from 'prom-client'
import type { Metrics } from '../http/metrics.ts'

/** `others`: of other processes, as `getMetricsAsJSON` gives them. */
export async function metricsText({ registry }: Metrics, others: readonly object[]): Promise<string> {
  if (others.length === 0) return registry.metrics()
  const own = await registry.getMetricsAsJSON()
  return AggregatorRegistry.aggregate([own.map(toldOnce), ...others]).metrics()
}

/** Of several processes some would be left out, such as when one began: here the keeper alone tells it. */
function toldOnce(metric: MetricObject): MetricObject {
  return metric.aggregator === 'omit' ? { ...metric, aggregator: 'first' } : metric
}
