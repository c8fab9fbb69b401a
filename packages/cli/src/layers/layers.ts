// The layers, each as a way to have a batch of records worked on: plain, opened from rest, over TCP, over an attested
// channel, in an enclave, and all of it. Client and server of a network layer run in this process, so that the cost of
// both ends is counted.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { connectEnclave, openIdentity, serveEnclave } from '@casemate/channel'
import { Enclave } from '@casemate/enclave'
import { WORK, type Workload } from './workload.ts'

export const LAYERS = [
  ['plain', 'the code, called directly'],
  ['at rest', 'each record opened from its sealed form, then the code'],
  ['network', 'records over TCP in the clear, then the code'],
  ['in transit', 'records over an attested channel, then the code'],
  ['enclave', 'the code in an enclave'],
  ['all', 'sealed records over an attested channel, opened in an enclave'],
] as const

export type LayerName = (typeof LAYERS)[number][0]

export interface Batch {
  readonly records: readonly Uint8Array[]
  /** The same, sealed for the enclave. */
  readonly blobs: readonly Uint8Array[]
}

/** Resolves with the answers, in order. */
export type Layer = (batch: Batch) => Promise<readonly Uint8Array[]>

export interface OpenLayers {
  readonly run: Readonly<Record<LayerName, Layer>>
  readonly close: () => Promise<void>
}

const LOOPBACK = '127.0.0.1'

export async function openLayers(workload: Workload): Promise<OpenLayers> {
  const enclave = await startEnclave(workload)
  const direct = {
    call: async (_: string, input: Uint8Array) => workload.callDirectly(input),
    callBatch: async (_: string, inputs: readonly Uint8Array[]) => inputs.map(workload.callDirectly),
  }
  const [network, transit, whole] = await Promise.all([
    openNetwork(workload),
    openChannel(direct),
    openChannel(enclave),
  ])
  return {
    run: {
      plain: async ({ records }) => records.map(workload.callDirectly),
      'at rest': async ({ blobs }) => blobs.map(blob => workload.callDirectly(workload.unseal(blob))),
      network: ({ records }) => network.send(records),
      'in transit': ({ records }) => transit.client.callBatch(WORK.plain, records),
      enclave: ({ records }) => enclave.callBatch(WORK.plain, records),
      all: ({ blobs }) => whole.client.callBatch(WORK.sealed, blobs),
    },
    close: async () => {
      await Promise.all([network.close(), transit.close(), whole.close()])
      await enclave.close()
    },
  }
}

function startEnclave({ image, root }: Workload): Promise<Enclave> {
  return Enclave.create(image, {
    platform: { sealing: root, secrets: new Map(), log: () => undefined, report: () => undefined },
    debug: false,
    // Built and signed by this very process.
    signers: 'any',
    measurement: 'any',
    threads: 1,
  })
}

type Target = Parameters<typeof serveEnclave>[0]['enclave']

/** Evidence costs once for each connection; here records are counted, so both ends take anyone. */
async function openChannel(target: Target) {
  const identity = await openIdentity({ driver: 'none', statement: null })
  const server = await serveEnclave({
    host: LOOPBACK,
    port: 0,
    identity,
    peers: 'anyone',
    enclave: target,
  })
  const client = await connectEnclave({ host: LOOPBACK, port: server.port, peer: 'anyone' })
  return {
    client,
    close: async () => {
      await client.close()
      await server.close()
      identity.close()
    },
  }
}

/** What a service without any protection does: records of one size, one message a batch, one answer a batch. */
async function openNetwork({ callDirectly }: Workload) {
  const server = createServer({ noDelay: true }, socket => {
    receive(socket, frame => {
      const size = frame.readUInt32LE(0)
      const answers: Uint8Array[] = []
      for (let at = 4; at < frame.length; at += size)
        answers.push(callDirectly(frame.subarray(at, at + size)))
      sendFrame(socket, answers)
    })
  }).listen(0, LOOPBACK)
  await once(server, 'listening')
  const socket = connect({ host: LOOPBACK, port: (server.address() as AddressInfo).port, noDelay: true })
  await once(socket, 'connect')
  let answered: (frame: Buffer) => void = () => undefined
  receive(socket, frame => answered(frame))
  return {
    send: (records: readonly Uint8Array[]) =>
      new Promise<readonly Uint8Array[]>(resolve => {
        answered = frame => resolve(split(frame, frame.length / records.length))
        const size = Buffer.alloc(4)
        size.writeUInt32LE(records[0]?.length ?? 0)
        sendFrame(socket, [size, ...records])
      }),
    close: async () => {
      socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function sendFrame(socket: NodeJS.WritableStream, parts: readonly Uint8Array[]): void {
  const whole = Buffer.concat([Buffer.alloc(4), ...parts])
  whole.writeUInt32LE(whole.length - 4)
  socket.write(whole)
}

/** Frames of a length and as many bytes. */
function receive(socket: NodeJS.ReadableStream, take: (frame: Buffer) => void): void {
  let chunks: Buffer[] = []
  let size = 0
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    while (size >= 4) {
      if ((chunks[0]?.length ?? 0) < 4) chunks = [Buffer.concat(chunks)]
      const end = 4 + (chunks[0]?.readUInt32LE(0) ?? 0)
      if (size < end) return
      const whole = Buffer.concat(chunks)
      chunks = [whole.subarray(end)]
      size -= end
      take(whole.subarray(4, end))
    }
  })
}

function split(frame: Buffer, size: number): readonly Uint8Array[] {
  return Array.from({ length: frame.length / size }, (_, index) =>
    frame.subarray(index * size, (index + 1) * size),
  )
}
