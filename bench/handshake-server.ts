// The measured side of bench/handshake.ts, in a process of its own: a whole broker, an HTTP server that only echoes,
// and the bare cryptography of a handshake. It reports the processor time that this process spent, so that
// the guests' work next door does not count.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolveConfig, startBroker } from '@casemate/broker'
import type { EndorsementSource, TrustAnchor } from '@casemate/evidence'
import { handshakeFloor } from './handshake-floor.ts'

/** What the parent sends first. */
export interface Start {
  readonly dataDir: string
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly EndorsementSource[]
}

/** What this process answers to `Start`. */
export interface Started {
  readonly url: string
  readonly echoUrl: string
  readonly adminToken: string
}

/** `cpu` asks for the processor time used so far, `floor` for that of so many bare handshakes; microseconds. */
export type Question = { readonly cpu: true } | { readonly floor: number }

const [start] = (await once(process, 'message')) as [Start]
const { url, adminToken, close } = await openBroker(start)
const echo = openEcho()
await once(echo, 'listening')

process.on('message', (question: Question) => {
  if ('cpu' in question) return process.send!(cpuMicros())
  const before = cpuMicros()
  for (let index = 0; index < question.floor; index++) handshakeFloor()
  return process.send!(cpuMicros() - before)
})
const echoUrl = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`
process.send!({ url, adminToken, echoUrl } satisfies Started)

await once(process, 'disconnect')
echo.close()
await close()

async function openBroker({ dataDir, anchors, endorsements }: Start) {
  const flags = {
    'data-dir': dataDir,
    listen: '127.0.0.1:0',
    'metrics-listen': 'off',
    offline: 'true',
    'auth-limit': '999999999',
    'log-level': 'error',
  }
  const { values } = resolveConfig({ flags, env: {}, file: null })
  const broker = await startBroker(values, { now: () => new Date(), anchors, endorsements, logger: null })
  return { url: broker.url, adminToken: broker.firstAdminToken!, close: () => broker.close() }
}

function openEcho(): Server {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ length: Buffer.concat(chunks).length }))
    })
  })
  return server.listen(0, '127.0.0.1')
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
