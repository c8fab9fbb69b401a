// Limits the cost of clients that have shown nothing: new connections, refusals, public answers and requests that do not
// wait for their answers are counted in one allowance. Once it is used up, a refusal ends its connection and new connections
// are not taken until there is allowance again. What is right goes on: guests that attest, and administrators.

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify'
import { ClientLimit } from '../client-limit.ts'
import type { BrokerConfig } from '../config/settings.ts'

/** For each challenge: a guest needs one connection for it and all that follows; clients that keep none open need three. */
export const UNITS_PER_CHALLENGE = 4

/** At once: a fleet behind one address that starts again. All else comes at an even pace. */
const BURST = 256

const MINUTE_MS = 60_000

/** In new connections, by processor time; a public answer costs less, and mirrors of the log ask for many. */
const REFUSAL = 1
const PUBLIC_ANSWER = 0.1
/** A refused body was received before, and some of it read; none that is read is longer than the most that counts. */
const BYTES_OF_A_UNIT = 32 * 1024
const MOST_BYTES = 2 * 1024 * 1024

/** A body in chunks of a byte is parsed as far as it was received, 64 KiB of it, whatever was answered before. */
const CHUNKED_REFUSAL = 100

/** What asks it for new connections. */
export type Admission = Pick<ClientLimit, 'take'>

/** What it is charged with, wherever it is kept. */
export type Allowance = Pick<ClientLimit, 'charge'>

export function strangerAllowance(
  { authLimit }: Pick<BrokerConfig, 'authLimit'>,
  elapsedMs: () => number,
): ClientLimit {
  const count = UNITS_PER_CHALLENGE * authLimit
  return new ClientLimit({ count, windowMs: MINUTE_MS, burst: BURST, elapsedMs })
}

/** Of TLS, for its handshake: whoever asks nothing over it counts as twenty who do, as guests never come so. */
const NOTHING_ASKED = 19

/** Node tells of a request by one of these. */
const REQUESTS = ['request', 'checkContinue', 'checkExpectation']

/**
 * Charges connections over TLS that end without a request, also those that end before the handshake does: most of its work is
 * done by then. One that sends nothing is a balancer's, which looks whether somebody listens.
 */
export function chargeSilence(server: RawServerDefault, allowance: Allowance): void {
  const silent = new Map<string, { isSilent: boolean }>()
  server.on('connection', (socket: Socket) => {
    const { remoteAddress: address = '' } = socket
    const ends = endsOf(socket)
    const connection = { isSilent: true }
    // Ends that are there already are those of a connection that is gone: its own end tells what it comes to.
    silent.set(ends, connection)
    socket.once('close', () => {
      if (silent.get(ends) === connection) silent.delete(ends)
      if (connection.isSilent && socket.bytesRead > 0) allowance.charge(address, NOTHING_ASKED)
    })
  })
  for (const event of REQUESTS) {
    server.on(event, ({ socket }: IncomingMessage) => {
      const ends = endsOf(socket)
      const connection = silent.get(ends)
      if (connection !== undefined) connection.isSilent = false
      silent.delete(ends)
    })
  }
}

/** The same below TLS and above it; of one end alone, two connections to two addresses of ours may have the same. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}

export function chargeStrangers(app: FastifyInstance, allowance: Allowance): void {
  app.addHook('onSend', (request, reply, _payload, done) => {
    const cost = costOf(request, reply.statusCode)
    if (cost > 0 && !allowance.charge(request.ip, cost)) reply.header('connection', 'close')
    done()
  })
}

function costOf(request: FastifyRequest, status: number): number {
  const { access, limited } = request.routeOptions.config
  // A fault of the broker's own is nobody's cost; a body that was cut is its sender's.
  if (request.administrator !== null || (status >= 500 && !wasCut(request))) return 0
  if (status < 400) return access === 'public' && limited === undefined ? PUBLIC_ANSWER : 0
  // An attested guest that asks for what it may not have, or is not there yet.
  if (access === 'guest' && (status === 403 || status === 404)) return 0
  return request.headers['transfer-encoding'] === undefined ? REFUSAL + bytesOf(request) : CHUNKED_REFUSAL
}

function wasCut({ refusal }: FastifyRequest): boolean {
  return refusal?.error.code === 'overloaded'
}

/** In units. */
function bytesOf({ headers }: FastifyRequest): number {
  return Math.min(Number(headers['content-length'] ?? 0), MOST_BYTES) / BYTES_OF_A_UNIT
}
