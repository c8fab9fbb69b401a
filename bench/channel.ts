// Attested channels against plain TLS between two processes on loopback: what a handshake costs, with evidence that
// was seen before and with evidence that was not, what the bytes cost afterwards, and what calls cost on top.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import {
  connectAttested,
  connectEnclave,
  type EnclaveClient,
  openIdentity,
  type PeerDemands,
} from '@casemate/channel'
import { intelPlatformFromJSON } from '@casemate/simulator'
import { demands, driverOf } from './channel-demands.ts'
import type { ChannelServer } from './channel-server.ts'
import { measure, scaled } from './measure.ts'
import { printFigure, printRates, printRatio } from './report.ts'

const host = '127.0.0.1'
const MIB = 1024 * 1024
/** Sent at once, so that a round is many of them. */
const BURST = 16 * MIB
/** A picture of 512 by 288 in RGB. */
const PICTURE = new Uint8Array(512 * 288 * 3)
const PAYMENTS = Array.from({ length: 100 }, () => new Uint8Array(2_048))
const SMALL = new Uint8Array(1_024)
/** Calls under way together. */
const PIPELINE = 32

/** Prints the tables of this topic. */
export async function benchChannel(): Promise<void> {
  const server = fork(new URL('./channel-server.ts', import.meta.url), { serialization: 'advanced' })
  const [started] = (await once(server, 'message')) as [ChannelServer]
  try {
    const peer = demands(started)
    await benchHandshakes(started, peer)
    await benchBytes(started, peer)
    await benchCalls(started, peer)
  } finally {
    await stop(server)
  }
}

async function stop(server: ChildProcess): Promise<void> {
  server.disconnect()
  await once(server, 'exit')
}

async function plain(port: number): Promise<Duplex> {
  const socket = connectTls({ host, port, rejectUnauthorized: false, ecdhCurve: 'X25519MLKEM768:X25519' })
  await once(socket, 'secureConnect')
  return socket
}

async function benchHandshakes(server: ChannelServer, peer: PeerDemands): Promise<void> {
  const identity = await openIdentity({
    driver: driverOf(await intelPlatformFromJSON(server.platform)),
    statement: null,
  })
  const [bare, warm, cold, mutual] = await measure([
    { name: 'plain TLS 1.3, hybrid', run: async () => (await plain(server.plain)).destroy() },
    {
      name: 'attested server, its evidence seen before',
      run: async () => (await connectAttested({ host, port: server.attested, peer })).socket.destroy(),
    },
    {
      name: 'attested server, its evidence verified anew',
      // Verdicts are remembered with the object.
      run: async () =>
        (await connectAttested({ host, port: server.attested, peer: { ...peer } })).socket.destroy(),
    },
    {
      name: 'both attested, their evidence seen before',
      run: async () =>
        (await connectAttested({ host, port: server.mutual, peer, identity })).socket.destroy(),
    },
  ])
  identity.close()
  printRates('Handshakes, one after the other, both processes', [bare!, warm!, cold!, mutual!])
  printRatio('attested server, seen before, against plain TLS', warm!, bare!, 'none')
  printRatio('attested server, verified anew, against plain TLS', cold!, bare!, 'none')
  printRatio('both attested, seen before, against plain TLS', mutual!, bare!, 'none')
}

async function benchBytes(server: ChannelServer, peer: PeerDemands): Promise<void> {
  const bare = await plain(server.plain)
  const { socket } = await connectAttested({ host, port: server.attested, peer })
  const [tls, channel] = await measure([
    { name: 'plain TLS 1.3, MiB', run: () => send(bare) },
    { name: 'attested channel, MiB', run: () => send(socket) },
  ])
  bare.destroy()
  socket.destroy()
  const all = [tls!, channel!].map(one => scaled(one, BURST / MIB))
  printRates('Bytes one way', all)
  printRatio('attested against plain TLS', all[1]!, all[0]!, { atLeast: 0.95 })
}

const CHUNK = new Uint8Array(256 * 1024)

async function send(socket: Duplex): Promise<void> {
  for (let sent = 0; sent < BURST; sent += CHUNK.length) {
    if (!socket.write(CHUNK)) await once(socket, 'drain')
  }
}

async function benchCalls(server: ChannelServer, peer: PeerDemands): Promise<void> {
  const client = await connectEnclave({ host, port: server.calls, peer })
  const [one, small, batches, pictures] = await measure([
    { name: 'one call of 1 KiB after the other', run: () => client.call('any', SMALL) },
    { name: `calls of 1 KiB, ${PIPELINE} under way`, run: () => together(client, SMALL) },
    {
      name: 'batches of 100 payments of 2 KiB, 8 under way',
      run: () => Promise.all(Array.from({ length: 8 }, () => client.callBatch('any', PAYMENTS))),
    },
    { name: `pictures of 432 KiB, ${PIPELINE} under way`, run: () => together(client, PICTURE) },
  ])
  await client.close()
  const rates = [one!, scaled(small!, PIPELINE), scaled(batches!, 8), scaled(pictures!, PIPELINE)]
  printRates('Calls that compute nothing, answered with 256 bytes', rates)
  printFigure('batches of 100 payments a second', rates[2]!, { atLeast: 1_000 })
  printFigure('pictures a second', rates[3]!, { atLeast: 1_000 })
}

function together(client: EnclaveClient, input: Uint8Array): Promise<unknown> {
  return Promise.all(Array.from({ length: PIPELINE }, () => client.call('any', input)))
}
