// Request bodies as they arrive: counted against one budget, and given up where they take too long. Everything that
// can be refused from the head alone has been, by then.

import { finished, Transform, type TransformCallback } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { BrokerConfig } from '../config/settings.ts'
import { BrokerError } from '../errors.ts'
import { BodyBudget, type HeldBody } from './body-budget.ts'
import { siteOf } from './client-limit.ts'

/** Bodies of all requests together: some hundred attestations, or a few of the largest bodies. */
const MIN_HELD_BYTES = 16 * 1024 * 1024
const LARGEST_HELD = 4

/** Time for the body of somebody who has shown no token; a guest's is some 100 KiB. */
const STRANGERS_BODY_TIMEOUT_MS = 10_000

/** What is left of a refused body up to here is read to its end and dropped: closing at once could lose the answer. */
const MAX_DROPPED_BYTES = 512 * 1024

/** A body comes in pieces of a segment or more. Those of a few bytes cost as much each. */
const FREE_PIECES = 64
const MIN_PIECE_BYTES = 512

/** Longest part of a header that is shown. */
const MAX_SHOWN = 64

/** These have no body that anybody reads. */
const BODILESS: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE']

export function boundBodies(
  app: FastifyInstance,
  { config, elapsedMs }: { readonly config: BrokerConfig; readonly elapsedMs: () => number },
): BodyBudget {
  const budget = new BodyBudget(Math.max(MIN_HELD_BYTES, LARGEST_HELD * config.bodyLimit), elapsedMs)
  app.addHook('preParsing', (request, reply, payload, done) => {
    if (BODILESS.includes(request.method)) return done(null, payload)
    const refused = refusedEncoding(request)
    if (refused !== null) return done(refused)
    askForIt(request, reply)
    const arriving = new ArrivingBody(siteOf(request.ip), budget, timeoutOf(request, config))
    payload.on('error', error => arriving.destroy(error))
    // Whoever was cut may go on sending, but not to us.
    arriving.once('error', () => void reply.header('connection', 'close'))
    finished(reply.raw, { readable: false }, () => {
      arriving.release()
      // What nobody waits for goes by unheld until Node ends the request.
      payload.unpipe(arriving)
      payload.resume()
    })
    return done(null, payload.pipe(arriving))
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

class ArrivingBody extends Transform implements HeldBody {
  readonly site: string
  readonly #budget: BodyBudget
  readonly #deadline: NodeJS.Timeout
  #pieces = 0
  #bytes = 0

  constructor(site: string, budget: BodyBudget, timeoutMs: number) {
    super()
    this.site = site
    this.#budget = budget
    budget.begin(this)
    this.#deadline = setTimeout(() => {
      this.cut(new BrokerError('request-timeout', 'the body did not arrive in time'))
    }, timeoutMs)
    this.#deadline.unref()
  }

  cut(error: BrokerError): void {
    this.destroy(error)
  }

  release(): void {
    clearTimeout(this.#deadline)
    this.#budget.release(this)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#pieces++
    this.#bytes += chunk.length
    if (this.#pieces > FREE_PIECES + this.#bytes / MIN_PIECE_BYTES) {
      this.cut(
        new BrokerError('request-too-complex', 'the body comes in too many pieces', {
          expected: `pieces of ${MIN_PIECE_BYTES} bytes or more`,
          got: `${this.#pieces} of ${this.#bytes} bytes together`,
        }),
      )
    } else this.#budget.add(this, chunk.length)
    if (this.destroyed) return done()
    done(null, chunk)
  }

  override _flush(done: TransformCallback): void {
    clearTimeout(this.#deadline)
    this.#budget.arrived(this)
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#deadline)
    done(error)
  }
}
