// A broker in a process of its own, for tests to kill: says on one line where it listens and its first token.
import { resolveConfig } from '../../src/config/resolve.ts'
import { createLogger } from '../../src/http/logging.ts'
import { startBroker } from '../../src/lifecycle/broker.ts'

const flags = {
  'data-dir': process.argv[2] ?? '',
  listen: '127.0.0.1:0',
  'metrics-listen': 'off',
  offline: 'true',
  'server-threads': process.argv[3] ?? '0',
}
const { url, firstAdminToken } = await startBroker(resolveConfig({ flags, env: {}, file: null }).values, {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
  anchors: [],
  endorsements: [],
  logger: createLogger('silent'),
})
process.stdout.write(`${JSON.stringify({ url, token: firstAdminToken })}\n`)
