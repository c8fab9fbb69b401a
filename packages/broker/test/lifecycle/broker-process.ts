// A broker in a process of its own, for tests to kill: says on one line where it listens and its first token.
import { startServing } from './serving.ts'

const { url, firstAdminToken } = await startServing({
  'data-dir': process.argv[2] ?? '',
  'metrics-listen': 'off',
  'server-processes': process.argv[3] ?? '0',
})
process.stdout.write(`${JSON.stringify({ url, token: firstAdminToken })}\n`)
