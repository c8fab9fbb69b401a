// fetch over attested channels: the same shape, and an answer comes from a peer that met the demands or not at all.
// Connections are kept and used again; each was proved when it was opened, and ends when its peer's verdict does.
import { Agent, type IncomingMessage, type RequestOptions, request as sendRequest } from 'node:http'
import { type Duplex, Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { ChannelError } from '../errors.ts'
import { type ConnectOptions, connectAttested } from '../session/connect.ts'
import { HTTP_PROTOCOL, rememberConnection, rememberResponse } from './peers.ts'
import { Slots } from './slots.ts'

/** Connections to one host at once. */
const MAX_CONNECTIONS = 8
const DEFAULT_PORT = 443
/** RFC 9110: answers that have no content. */
const NO_CONTENT: ReadonlySet<number> = new Set([204, 205, 304])
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

export type FetchOptions = Omit<ConnectOptions, 'host' | 'port' | 'protocol'>

/** `fetch`, and an end to the connections that it keeps. */
export interface AttestedFetch {
  /**
   * As `fetch`, for `https:` URLs. A redirect is an answer like any other: whoever follows it decides whom to trust.
   * `peerOf(response)` says who answered.
   * @throws {ChannelError} with the code of what is wrong with the peer or the connection; request-invalid
   */
  readonly fetchAttested: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /** Ends the connections that wait for requests. */
  readonly close: () => void
}

export function openAttestedFetch(options: FetchOptions): AttestedFetch {
  const agent = new AttestedAgent(options)
  return {
    fetchAttested: async (input, init) => {
      const request = await readRequest(input, init)
      const release = await agent.slotsOf(request.url.host).take(request.signal)
      try {
        return await exchange(request, { agent, release })
      } catch (error) {
        release()
        throw error
      }
    },
    close: () => agent.destroy(),
  }
}

class AttestedAgent extends Agent {
  readonly #options: FetchOptions
  readonly #slots = new Map<string, Slots>()

  constructor(options: FetchOptions) {
    super({ keepAlive: true, maxSockets: MAX_CONNECTIONS })
    this.#options = options
  }

  slotsOf(host: string): Slots {
    const slots = this.#slots.get(host) ?? new Slots(MAX_CONNECTIONS)
    this.#slots.set(host, slots)
    return slots
  }

  override createConnection(
    { host, port }: RequestOptions,
    callback: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const to = { ...this.#options, host: host ?? '', port: Number(port), protocol: HTTP_PROTOCOL }
    void this.#connect(to, callback)
  }

  async #connect(to: ConnectOptions, callback: (error: Error | null, socket: Duplex) => void): Promise<void> {
    try {
      const connection = await connectAttested(to)
      rememberConnection(connection)
      callback(null, connection.socket)
    } catch (error) {
      // A failed connection has no socket; the declaration does not say so.
      ;(callback as (error: unknown) => void)(error)
    }
  }
}

interface OutgoingRequest {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly signal: AbortSignal
  readonly body: Uint8Array | Readable | null
  readonly redirect: Request['redirect']
}

/** @throws {ChannelError} request-invalid */
async function readRequest(input: string | URL | Request, init?: RequestInit): Promise<OutgoingRequest> {
  const request = new Request(input, init)
  const url = new URL(request.url)
  if (url.protocol !== 'https:') {
    throw new ChannelError('request-invalid', `the URL is ${url.protocol}//, want https://`, {
      expected: 'https:',
      got: url.protocol,
    })
  }
  const { method, headers, signal, redirect } = request
  const isStream = input instanceof Request || init?.body instanceof globalThis.ReadableStream
  const stream = request.body as ReadableStream<Uint8Array> | null
  const body =
    stream === null ? null : isStream ? Readable.fromWeb(stream) : new Uint8Array(await request.arrayBuffer())
  return { url, method, headers, signal, body, redirect }
}

/** Nothing was answered on a connection that had been used before, to a request that may be sent again. */
class StaleConnection extends Error {}

interface Sending {
  readonly agent: Agent
  /** Called once the connection is free for others. */
  readonly release: () => void
}

async function exchange(request: OutgoingRequest, { agent, release }: Sending): Promise<Response> {
  const message = await answerOrAgain(agent, request)
  message.once('close', release)
  const { url, signal, redirect } = request
  const status = message.statusCode ?? 0
  if (redirect === 'error' && status >= 300 && status < 400) {
    message.destroy()
    throw new TypeError('the answer is a redirect')
  }
  signal.addEventListener('abort', () => message.destroy(signal.reason as Error), { once: true })
  const response = asResponse(message, request)
  Object.defineProperty(response, 'url', { value: url.href })
  return rememberResponse(response, message)
}

/** @throws {ChannelError} protocol-violation */
function asResponse(message: IncomingMessage, { method }: OutgoingRequest): Response {
  const status = message.statusCode ?? 0
  const isEmpty = method === 'HEAD' || NO_CONTENT.has(status)
  try {
    if (!isEmpty) checkEnd(message)
    const content = isEmpty ? null : (Readable.toWeb(message) as globalThis.ReadableStream)
    if (isEmpty) message.resume()
    return new Response(content, {
      status,
      statusText: message.statusMessage ?? '',
      headers: headersOf(message),
    })
  } catch (error) {
    message.destroy()
    // HTTP's parser lets more through than a response may have.
    throw error instanceof ChannelError ? error : badAnswer('a status that there is', String(status), error)
  }
}

/** The network could end an answer that goes on until the connection does, and nobody would see. */
function checkEnd({ headers }: IncomingMessage): void {
  if (headers['content-length'] !== undefined || /\bchunked$/i.test(headers['transfer-encoding'] ?? ''))
    return
  throw badAnswer('an answer that says where it ends', 'neither content-length nor transfer-encoding')
}

function badAnswer(expected: string, got: string, cause?: unknown): ChannelError {
  return new ChannelError('protocol-violation', `the server’s answer has ${got}, want ${expected}`, {
    expected,
    got,
    cause,
  })
}

async function answerOrAgain(agent: Agent, request: OutgoingRequest): Promise<IncomingMessage> {
  try {
    return await answerTo(agent, request)
  } catch (error) {
    // A kept connection may be ended by the server just as it is used again: then nothing was done.
    if (!(error instanceof StaleConnection)) throw error
    return answerTo(agent, request)
  }
}

function answerTo(agent: Agent, outgoing: OutgoingRequest): Promise<IncomingMessage> {
  const { url, method, headers, signal, body } = outgoing
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const request = sendRequest({
      agent,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? DEFAULT_PORT : Number(url.port),
      method,
      path: url.pathname + url.search,
      signal,
      headers: { host: url.host, ...Object.fromEntries(headers) },
    })
    request.once('response', resolve)
    // Node ends the connection that asks for an upgrade where nobody listens for it, and says no more.
    request.once('upgrade', (_, socket) => {
      socket.destroy()
      reject(badAnswer('an answer', 'an upgrade to another protocol'))
    })
    request.on('error', (error: Error & { code?: string }) => {
      const isStale = request.reusedSocket && error.code === 'ECONNRESET'
      if (signal.aborted) reject(signal.reason as Error)
      else if (isStale && SAFE_METHODS.has(method)) reject(new StaleConnection())
      else reject(asChannelError(error))
    })
    if (body instanceof Readable) {
      body.once('error', error => request.destroy(error))
      body.pipe(request)
    } else {
      request.end(body ?? undefined)
    }
  })
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '')
  }
  return headers
}

function asChannelError(error: Error): Error {
  if (error instanceof ChannelError) return error
  return new ChannelError('connection-lost', `the request has no answer: ${error.message}`, { cause: error })
}
