// The measured side of bench/handshake.ts, in a process of its own: a whole broker, an HTTP server that only echoes,
// and the bare cryptography of a handshake. It reports the processor time that this process spent, so that
// the guests' work next door does not count.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { PerformanceObserver } from 'node:perf_hooks'
import { resolveConfig, startBroker } from '@casemate/broker'
import type { EndorsementSource, TrustAnchor } from '@casemate/evidence'
import { handshakeFloor } from './handshake-floor.ts'
import { type HandshakeParts, openHandshakeParts } from './handshake-parts.ts'

/** The parent's first message. */
export interface Start {
  readonly dataDir: string
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly EndorsementSource[]
  /** Settings that differ from those of a handshake. */
  readonly flags?: Readonly<Record<string, string>>
}

/** This process's answer to `Start`. */
export interface Started {
  readonly url: string
  readonly echoUrl: string
  readonly adminToken: string
}

/**
 * `cpu` asks for the processor time used so far, `gc` for that of it in which only garbage was collected, the others
 * for that of so many bare handshakes' cryptography, JSON or commits; microseconds. `group`: handshakes in a commit.
 */
export type Question =
  | { readonly cpu: true }
  | { readonly gc: true }
  | { readonly group: true }
  | { readonly floor: number }
  | { readonly json: number }
  | { readonly commits: number }

const [start] = (await once(process, 'message')) as [Start]
const { url, adminToken, close } = await openBroker(start)
const echo = openEcho(start)
await once(echo, 'listening')

let parts = null as HandshakeParts | null
let collecting = 0
new PerformanceObserver(list => {
  for (const { duration } of list.getEntries()) collecting += duration * 1000
}).observe({ entryTypes: ['gc'] })

process.on('message', (question: Question) => process.send!(answer(question)))

function answer(question: Question): number {
  if ('cpu' in question) return cpuMicros()
  if ('gc' in question) return collecting
  parts ??= openHandshakeParts(start.dataDir)
  if ('group' in question) return parts.group
  const before = cpuMicros()
  if ('json' in question) parts.json(question.json)
  else if ('commits' in question) parts.commits(question.commits)
  else for (let index = 0; index < question.floor; index++) handshakeFloor()
  return cpuMicros() - before
}
const echoUrl = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`
process.send!({ url, adminToken, echoUrl } satisfies Started)

await once(process, 'disconnect')
echo.close()
parts?.close()
await close()

async function openBroker({ dataDir, anchors, endorsements, flags: others }: Start) {
  const flags = {
    'data-dir': dataDir,
    listen: '127.0.0.1:0',
    'metrics-listen': 'off',
    offline: 'true',
    'auth-limit': '999999999',
    'log-level': 'error',
    ...others,
  }
  const { values } = resolveConfig({ flags, env: {}, file: null })
  const broker = await startBroker(values, {
    now: () => new Date(),
    elapsedMs: () => performance.now(),
    anchors,
    endorsements,
    logger: null,
  })
  return { url: broker.url, adminToken: broker.firstAdminToken!, close: () => broker.close() }
}

/** Over TLS if the broker is. */
function openEcho({ flags = {} }: Start): Server {
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ length: Buffer.concat(chunks).length }))
    })
  }
  const { 'tls-cert-file': cert, 'tls-key-file': key } = flags
  const server =
    cert === undefined || key === undefined
      ? createServer(listener)
      : createSecureServer({ cert: readFileSync(cert), key: readFileSync(key) }, listener)
  return server.listen(0, '127.0.0.1')
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
