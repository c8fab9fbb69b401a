// The other end of the channel benchmark, in a process of its own: plain TLS, an attested sink, and calls that compute
// nothing, each on a port.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import {
  type CallTarget,
  type ChannelIdentity,
  listenAttested,
  openIdentity,
  serveEnclave,
} from '@casemate/channel'
import type { EndorsementSource, TrustAnchor } from '@casemate/evidence'
import { createIntelPlatform, type IntelPlatformJson } from '@casemate/simulator'
import { demands, driverOf } from './channel-demands.ts'

/** The message to the measuring process. */
export interface ChannelServer {
  readonly plain: number
  readonly attested: number
  readonly mutual: number
  readonly calls: number
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly EndorsementSource[]
  /** For a client that is attested too. */
  readonly platform: IntelPlatformJson
}

const host = '127.0.0.1'
/** A decision, or a lane's lines. */
const ANSWER = new Uint8Array(256)

const callee: CallTarget = {
  call: async () => new Uint8Array(ANSWER),
  callBatch: async (_, inputs) => inputs.map(() => ANSWER),
}

const platform = await createIntelPlatform({ now: new Date() })
const identity = await openIdentity({ driver: driverOf(platform), statement: null })
const client = await openIdentity({ driver: 'none', statement: null })
const listen = { host, port: 0, identity }
const attested = await listenAttested({
  ...listen,
  peers: 'anyone',
  onConnection: ({ socket }) => socket.resume(),
})
const trust = { anchors: platform.anchors, endorsements: platform.endorsements }
const mutual = await listenAttested({
  ...listen,
  peers: demands(trust),
  onConnection: ({ socket }) => socket.resume(),
})
const calls = await serveEnclave({ ...listen, peers: 'anyone', enclave: callee })
const plain = await plainServer(client)
const { anchors, endorsements } = trust
process.send?.({
  plain,
  attested: attested.port,
  mutual: mutual.port,
  calls: calls.port,
  anchors,
  endorsements,
  platform: platform.toJSON(),
} satisfies ChannelServer)
process.once('disconnect', () => process.exit())

async function plainServer(unattested: ChannelIdentity): Promise<number> {
  const { certificatePem: cert, keyPem: key } = unattested.credentials()
  const server = createServer(
    { cert, key, ca: [], minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768:X25519', noDelay: true },
    socket => {
      socket.on('error', () => undefined)
      socket.resume()
    },
  )
  server.listen(0, host)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
