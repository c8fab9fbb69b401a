// Prometheus metrics of one broker, in a registry of its own. Names are Trustee’s where it has one, so that existing
// dashboards work; labels have few, fixed values: no paths, no names, nothing a client chooses.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Seconds; attestation with collateral to fetch takes longer than one second, which is where others stop. */
const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30]

/** Bytes, up to the default body limit. */
const SIZE_BUCKETS = [128, 1024, 8192, 65_536, 524_288, 2_097_152]

export type Metrics = ReturnType<typeof createMetrics>

/** Of one process that serves clients: what it counts. */
export function createMetrics() {
  const registry = new Registry()
  const adminFailures = counter(registry, 'casemate_admin_failures_total', 'requests with no valid token', [
    'code',
  ])
  return { registry, adminFailures, ...httpMetrics(registry), ...kbsMetrics(registry) }
}

/** Adds what this process takes of the machine. */
export function observeProcess({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry })
}

/** Adds what is told once for the whole broker. `ledgerSize` is asked whenever somebody reads. */
export function observeBroker(
  { registry }: Metrics,
  { version, ledgerSize }: { readonly version: string; readonly ledgerSize: () => Promise<number> },
): void {
  const build = new Gauge({
    name: 'kbs_build_info',
    help: 'constant 1 with the version',
    labelNames: ['version'],
    registers: [registry],
  })
  build.set({ version }, 1)
  const entries: Gauge = new Gauge({
    name: 'casemate_ledger_entries',
    help: 'entries in the ledger',
    registers: [registry],
    collect: async () => entries.set(await ledgerSize()),
  })
}

function counter<L extends string = never>(
  registry: Registry,
  name: string,
  help: string,
  labels: readonly L[] = [],
) {
  return new Counter<L>({ name, help, labelNames: labels, registers: [registry] })
}

function httpMetrics(registry: Registry) {
  const labelNames = ['method', 'route', 'status'] as const
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, buckets, labelNames, registers: [registry] })
  return {
    httpRequests: counter(
      registry,
      'kbs_http_requests_total',
      'answered requests by route pattern',
      labelNames,
    ),
    httpDuration: histogram(
      'kbs_http_request_duration_seconds',
      'time from head to answer',
      DURATION_BUCKETS,
    ),
    httpRequestSize: histogram('kbs_http_request_size_bytes', 'size of request bodies', SIZE_BUCKETS),
    httpResponseSize: histogram('kbs_http_response_size_bytes', 'size of response bodies', SIZE_BUCKETS),
    httpConnections: new Gauge({
      name: 'kbs_http_active_connections',
      help: 'open connections',
      registers: [registry],
    }),
  }
}

/** Of the KBS protocol: src/kbs counts these, and src/v1 what administrators write. */
function kbsMetrics(registry: Registry) {
  const tee = ['tee_type'] as const
  const plugin = ['plugin_name'] as const
  return {
    authRequests: counter(registry, 'kbs_auth_requests_total', 'challenges asked for'),
    authSuccesses: counter(registry, 'kbs_auth_successes_total', 'challenges given'),
    authErrors: counter(registry, 'kbs_auth_errors_total', 'challenges refused'),
    attestationRequests: counter(registry, 'kbs_attestation_requests_total', 'attestations asked for'),
    attestationSuccesses: counter(registry, 'kbs_attestation_successes_total', 'attestations accepted', tee),
    attestationFailures: counter(registry, 'kbs_attestation_failures_total', 'attestations refused', tee),
    attestationErrors: counter(registry, 'kbs_attestation_errors_total', 'attestations that broke off'),
    policyEvaluations: counter(registry, 'kbs_policy_evaluations_total', 'release decisions'),
    policyApprovals: counter(registry, 'kbs_policy_approvals_total', 'releases granted'),
    policyViolations: counter(registry, 'kbs_policy_violations_total', 'releases denied'),
    policyErrors: counter(registry, 'kbs_policy_errors_total', 'release rules that failed to evaluate'),
    resourceReads: counter(registry, 'kbs_resource_reads_total', 'secrets released'),
    resourceWrites: counter(registry, 'kbs_resource_writes_total', 'secrets written'),
    resourceDeletes: counter(registry, 'kbs_resource_deletes_total', 'secrets deleted'),
    pluginRequests: counter(registry, 'kbs_plugin_requests_total', 'resource requests', plugin),
    pluginErrors: counter(registry, 'kbs_plugin_errors_total', 'failed resource requests', plugin),
    pluginDuration: new Histogram({
      name: 'kbs_plugin_request_duration_seconds',
      help: 'time to handle a resource request',
      buckets: DURATION_BUCKETS,
      labelNames: plugin,
      registers: [registry],
    }),
  }
}
