// Request bodies as they arrive: counted against one budget, and given up where they take too long. Everything that
// can be refused from the head alone has been, by then.

import { finished, Transform, type TransformCallback } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { BrokerConfig } from '../config/settings.ts'
import { BrokerError } from '../errors.ts'
import { BodyBudget, type HeldBody } from './body-budget.ts'
import { clientOf } from './client-limit.ts'

/** Bodies of all requests together: some hundred attestations, or a few of the largest bodies. */
const MIN_HELD_BYTES = 32 * 1024 * 1024
const LARGEST_HELD = 4

/** Time for the body of somebody who has shown no token; a guest's is some 100 KiB. */
const STRANGERS_BODY_TIMEOUT_MS = 10_000

/** These have no body that anybody reads. */
const BODILESS: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE']

export function boundBodies(app: FastifyInstance, config: BrokerConfig): BodyBudget {
  const budget = new BodyBudget(Math.max(MIN_HELD_BYTES, LARGEST_HELD * config.bodyLimit))
  app.addHook('preParsing', (request, reply, payload, done) => {
    if (BODILESS.includes(request.method)) return done(null, payload)
    const arriving = new ArrivingBody(clientOf(request.ip), budget, timeoutOf(request, config))
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
    if (!request.raw.complete && isLong(request, config)) reply.header('connection', 'close')
    done()
  })
  return budget
}

/** More than a connection is worth that could be used again. */
function isLong({ headers }: FastifyRequest, { bodyLimit }: BrokerConfig): boolean {
  const length = Number(headers['content-length'])
  return Number.isNaN(length) ? headers['transfer-encoding'] !== undefined : length > bodyLimit
}

function timeoutOf(request: FastifyRequest, { requestTimeout }: BrokerConfig): number {
  return request.administrator === null ? Math.min(STRANGERS_BODY_TIMEOUT_MS, requestTimeout) : requestTimeout
}

class ArrivingBody extends Transform implements HeldBody {
  readonly client: string
  readonly #budget: BodyBudget
  readonly #deadline: NodeJS.Timeout

  constructor(client: string, budget: BodyBudget, timeoutMs: number) {
    super()
    this.client = client
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
    this.#budget.add(this, chunk.length)
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
