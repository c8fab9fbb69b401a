// Request bodies as they arrive: counted against one budget, and given up where they take too long. Everything that
// can be refused from the head alone has been, by then.

import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { siteOf } from '../client-address.ts'
import type { BrokerConfig } from '../config/settings.ts'
import { BrokerError } from '../errors.ts'
import { BodyBudget, type HeldBody } from './body-budget.ts'
import type { TellClosed } from './closed-connections.ts'

/** Bodies of all requests together: some hundred attestations, or a few of the largest bodies. */
const MIN_HELD_BYTES = 16 * 1024 * 1024
const LARGEST_HELD = 4

/** Time for the body of somebody who has shown no token; a guest's is some 100 KiB. */
const STRANGERS_BODY_TIMEOUT_MS = 10_000

/** If no more is left of a refused body, it is read to its end and dropped: closing at once could lose the answer. */
const MAX_DROPPED_BYTES = 512 * 1024

/** A body comes in pieces of a segment or more. Those of a few bytes cost as much each. */
const FREE_PIECES = 64
const MIN_PIECE_BYTES = 512

/** Longest part of a header that is shown. */
const MAX_SHOWN = 64

/** These have no body that anybody reads. */
const BODILESS: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE']

export interface BodyParts {
  readonly config: BrokerConfig
  readonly elapsedMs: () => number
  readonly tellClosed: TellClosed
}

export function boundBodies(app: FastifyInstance, { config, elapsedMs, tellClosed }: BodyParts): BodyBudget {
  const budget = new BodyBudget(Math.max(MIN_HELD_BYTES, LARGEST_HELD * config.bodyLimit), elapsedMs)
  app.addHook('preParsing', (request, reply, payload, done) => {
    if (BODILESS.includes(request.method)) return done(null, payload)
    const refused = refusedEncoding(request)
    if (refused !== null) return done(refused)
    askForIt(request, reply)
    const body = new ArrivingBody(payload, {
      site: siteOf(request.ip),
      budget,
      timeoutMs: timeoutOf(request, config),
      onCut: error => {
        // Whoever was cut may go on sending, but not to us.
        void reply.header('connection', 'close')
        if (error.code === 'overloaded') tellClosed(request.ip, 'bodies')
      },
    })
    reply.raw.once('close', () => {
      body.release()
      // The rest, for which nobody waits, is dropped until Node ends the request.
      payload.resume()
    })
    return done(null, payload)
  })
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (!request.raw.complete && isLong(request)) reply.header('connection', 'close')
    done()
  })
  return budget
}

/** Nothing is unpacked here, so that nothing can unpack to more. */
function refusedEncoding({ headers }: FastifyRequest): BrokerError | null {
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding.toLowerCase() === 'identity') return null
  return new BrokerError(
    'media-type-unsupported',
    'bodies are read as they are, without a content encoding',
    {
      expected: 'no Content-Encoding',
      got: encoding.slice(0, MAX_SHOWN),
    },
  )
}

/**
 * RFC 9110, section 10.1.1: not of HTTP/1.0, and nothing else that is expected. What will be refused for its length is
 * not asked for.
 */
function askForIt(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = request
  if (raw.httpVersion === '1.0' || raw.headers.expect?.toLowerCase() !== '100-continue') return
  const length = Number(request.headers['content-length'] ?? 0)
  if (length <= request.routeOptions.bodyLimit) reply.raw.writeContinue()
}

/** More than a connection is worth that could be used again. */
function isLong({ headers }: FastifyRequest): boolean {
  const length = Number(headers['content-length'])
  return Number.isNaN(length) ? headers['transfer-encoding'] !== undefined : length > MAX_DROPPED_BYTES
}

function timeoutOf(request: FastifyRequest, { requestTimeout }: BrokerConfig): number {
  return request.administrator === null ? Math.min(STRANGERS_BODY_TIMEOUT_MS, requestTimeout) : requestTimeout
}

interface Arriving {
  readonly site: string
  readonly budget: BodyBudget
  readonly timeoutMs: number
  readonly onCut: (error: BrokerError) => void
}

/**
 * Looks on while the framework reads `payload`. A stream of its own in between would do, but each costs as much as a
 * small request, and its listeners outlive it until V8 collects all garbage, with all that the request had.
 */
class ArrivingBody implements HeldBody {
  readonly site: string
  readonly #payload: Readable
  readonly #budget: BodyBudget
  readonly #onCut: (error: BrokerError) => void
  readonly #deadline: NodeJS.Timeout
  readonly #onData = (chunk: Buffer) => this.#add(chunk.length)
  #pieces = 0
  #bytes = 0

  constructor(payload: Readable, { site, budget, timeoutMs, onCut }: Arriving) {
    this.site = site
    this.#payload = payload
    this.#budget = budget
    this.#onCut = onCut
    budget.begin(this)
    this.#deadline = setTimeout(() => {
      this.cut(new BrokerError('request-timeout', 'the body did not arrive in time'))
    }, timeoutMs)
    this.#deadline.unref()
    payload.on('data', this.#onData)
    payload.once('end', () => {
      clearTimeout(this.#deadline)
      budget.arrived(this)
    })
  }

  /** The framework answers `error`, and the connection ends; it is not destroyed, as the answer would be lost. */
  cut(error: BrokerError): void {
    this.release()
    this.#payload.off('data', this.#onData)
    this.#onCut(error)
    // The framework's own listener may not have seen the last piece yet.
    process.nextTick(() => {
      if (this.#payload.listenerCount('error') > 0) this.#payload.emit('error', error)
    })
  }

  /** May be called more than once. */
  release(): void {
    clearTimeout(this.#deadline)
    this.#budget.release(this)
  }

  #add(bytes: number): void {
    this.#pieces++
    this.#bytes += bytes
    if (this.#pieces <= FREE_PIECES + this.#bytes / MIN_PIECE_BYTES) {
      this.#budget.add(this, bytes)
      return
    }
    this.cut(
      new BrokerError('request-too-complex', 'the body comes in too many pieces', {
        expected: `pieces of ${MIN_PIECE_BYTES} bytes or more`,
        got: `${this.#pieces} of ${this.#bytes} bytes together`,
      }),
    )
  }
}
