// The flood of bench/flood.ts, in a process of its own at the lowest priority: it takes what the broker and its guests
// leave of the machine, so that what the flood costs its sender is not counted against the broker.

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setPriority } from 'node:os'
import { ATTESTERS, type HostileRequest, PARSED_ANYWAY, STRANGERS } from './hostile.ts'
import { begin, exchange, machine, open, type Target } from './wire.ts'

export type FloodKind = 'bodies' | 'connections' | 'slow' | 'all'

/**
 * The parent's message: to begin, from machines that no other round has, or to end and be told what went out. What goes
 * `elsewhere` comes to this process, which closes each connection, as a broker does that takes no more.
 */
export type Order =
  | { readonly kind: FloodKind; readonly target: Target | 'elsewhere'; readonly round: number }
  | 'stop'

/** The work of this process since it began. */
export interface Flooded {
  readonly connections: number
  readonly answers: number
  readonly megabytes: number
}

const MACHINES = 4
const GROUP = 4
/** At one time, of each machine. */
const SENDERS = 8
const CONNECTING = 8
const STALLING = 500

const STALLED_BYTES = 512 * 1024
const REQUESTS = [...STRANGERS, ...ATTESTERS, ...PARSED_ANYWAY]

setPriority(19)

const sink = createServer(socket => socket.destroy()).listen(0, '127.0.0.1')
await once(sink, 'listening')

const flood = { isOn: false }
let [connections, answers, bytes] = [0, 0, 0]
const stalled = new Set<Socket>()

process.on('message', (order: Order) => {
  if (order === 'stop') {
    flood.isOn = false
    for (const socket of stalled) socket.destroy()
    process.send!({ connections, answers, megabytes: bytes / 1e6 } satisfies Flooded)
    ;[connections, answers, bytes] = [0, 0, 0]
    return
  }
  flood.isOn = true
  const { kind, round } = order
  const target =
    order.target === 'elsewhere' ? { port: (sink.address() as AddressInfo).port, isTls: true } : order.target
  for (let n = 1; n <= MACHINES; n++) start(kind, target, machine(GROUP, round * MACHINES + n))
})
process.on('disconnect', () => process.exit())

function start(kind: FloodKind, target: Target, from: string): void {
  const isWanted = (one: FloodKind) => kind === one || kind === 'all'
  if (isWanted('bodies')) for (let n = 0; n < SENDERS; n++) void sendBodies(target, from, n)
  if (isWanted('connections')) for (let n = 0; n < CONNECTING; n++) void connectAgain(target, from)
  if (isWanted('slow')) for (let n = 0; n < STALLING; n++) void stall(target, from)
}

async function sendBodies(target: Target, from: string, first: number): Promise<void> {
  for (let n = first; flood.isOn; n++) {
    const request: HostileRequest = REQUESTS[n % REQUESTS.length]!
    const session = request.needsSession ? await begin(target, from) : null
    if (request.needsSession && session === null) continue
    const body = request.make(session ?? { cookie: '', nonce: '' })
    connections++
    bytes += body.length
    if ((await exchange(target, from, body)) !== '') answers++
  }
}

async function connectAgain(target: Target, from: string): Promise<void> {
  while (flood.isOn) {
    connections++
    await new Promise(resolve => {
      const socket = open(target, from)
      socket.on(target.isTls ? 'secureConnect' : 'connect', () => socket.destroy())
      socket.on('close', resolve)
    })
  }
}

/** A body of an attestation but for its last byte, or where no challenge is to be had, a head without its end. */
async function stall(target: Target, from: string): Promise<void> {
  while (flood.isOn) {
    const session = await begin(target, from)
    connections++
    const socket = open(target, from)
    stalled.add(socket)
    const head = `POST /kbs/v0/attest HTTP/1.1\r\nHost: x\r\n`
    if (session === null) socket.write(head)
    else {
      socket.write(`${head}Cookie: ${session.cookie}\r\nContent-Length: ${STALLED_BYTES}\r\n\r\n`)
      socket.write(Buffer.alloc(STALLED_BYTES - 1, ' '))
      bytes += STALLED_BYTES
    }
    socket.on('data', () => answers++)
    await new Promise(resolve => socket.on('close', resolve))
    stalled.delete(socket)
  }
}
