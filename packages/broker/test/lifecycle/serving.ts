// A broker that listens on this machine, in the process of a test.
import { resolveConfig } from '../../src/config/resolve.ts'
import { createLogger } from '../../src/http/logging.ts'
import { type RunningBroker, startBroker } from '../../src/lifecycle/broker.ts'

const ANY_PORT = '127.0.0.1:0'

/** `flags` as of `casemate up`; `data-dir` is one of them. */
export async function startServing(
  flags: Readonly<Record<string, string>>,
  logger = createLogger('silent'),
): Promise<RunningBroker> {
  const all = { offline: 'true', listen: ANY_PORT, 'metrics-listen': ANY_PORT, ...flags }
  return startBroker(resolveConfig({ flags: all, env: {}, file: null }).values, {
    now: () => new Date(),
    elapsedMs: () => performance.now(),
    anchors: [],
    endorsements: [],
    logger,
  })
}
