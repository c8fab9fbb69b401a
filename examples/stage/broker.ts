// The broker of a stage, as a process of its own: it trusts a simulated platform, and its own policy.
import { randomBytes } from 'node:crypto'
import { resolveConfig, startBroker } from '@casemate/broker'
import type { SimulatedTrust } from '@casemate/enclave'
import { type Opened, serveParent } from './child.ts'

export interface BrokerStart {
  readonly dataDir: string
  readonly trust: SimulatedTrust
}

export interface BrokerReady {
  readonly url: string
  readonly adminToken: string
}

await serveParent(async ({ dataDir, trust }: BrokerStart): Promise<Opened<BrokerReady>> => {
  const flags = {
    'data-dir': dataDir,
    listen: '127.0.0.1:0',
    'metrics-listen': 'off',
    offline: 'true',
    'log-level': 'error',
    'kek-source': 'passphrase',
  }
  // Known to this process alone: nothing on the disk opens what the broker keeps there.
  const env = { CASEMATE_KEK_PASSPHRASE: randomBytes(32).toString('base64url') }
  const { values } = resolveConfig({ flags, env, file: null })
  const broker = await startBroker(values, {
    now: () => new Date(),
    elapsedMs: () => performance.now(),
    ...trust,
    logger: null,
  })
  const { url, firstAdminToken } = broker
  if (firstAdminToken === null) throw new TypeError('the broker’s data was there before')
  return { ready: { url, adminToken: firstAdminToken }, close: () => broker.close() }
})
