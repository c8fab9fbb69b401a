// The guest API's server: on 127.0.0.1 and nowhere else, for processes of this machine's own user, and for no web page.
// Whoever is asked for what follows is decided before anything is read of it.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { AgentError } from '../errors.ts'
import { BUSY, FORBIDDEN, type GuestAnswer, TOO_LARGE } from './guest-answer.ts'
import { answerGuest, type GuestRoutes } from './guest-routes.ts'
import { isOneUser, knowsPeers, userOfPeer } from './peer-user.ts'

/** Where api-server-rest listens. */
export const GUEST_PORT = 8006

const HOST = '127.0.0.1'

/** Processes of which users are answered. */
export const CLIENTS = ['own', 'any'] as const
/** One of {@link CLIENTS}. */
export type Clients = (typeof CLIENTS)[number]

/** The routes, the port on 127.0.0.1, and whose processes are answered. */
export interface GuestApiOptions {
  readonly routes: GuestRoutes
  /** 0 lets the system choose. */
  readonly port: number
  readonly clients: Clients
  /** Told where all connections are taken, and then not before half of them are free again. */
  readonly note: (line: string) => void
  /** Default {@link HEAD_TIMEOUT_MS}. */
  readonly headTimeoutMs?: number
}

/** A guest API that listens. */
export interface GuestApi {
  readonly url: string
  close(): Promise<void>
}

/** A request's head and body are bounded far above what the API has: its largest is an event of the log. */
const MAX_HEAD_BYTES = 16 * 1024
const MAX_BODY_BYTES = 64 * 1024
const MAX_CONNECTIONS = 128
/** Answered at a time; each may be an attestation. */
const MAX_AT_ONCE = 32
/** Connections of other users that are told so at a time, and for how long: they must not keep out those who may. */
const MAX_STRANGERS = 8
const STRANGER_MS = 500
const HEAD_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 10_000

/** @throws {AgentError} address-in-use, clients-unknown */
export async function serveGuestApi(options: GuestApiOptions): Promise<GuestApi> {
  const user = process.getuid?.()
  if (options.clients === 'own' && !(user !== undefined && (await knowsPeers()) && (await isOneUser(user)))) {
    throw new AgentError('clients-unknown', 'this system does not tell whose process connects', {
      hint: 'where every user of this machine may have the secrets: casemate agent --clients any',
    })
  }
  const { headTimeoutMs = HEAD_TIMEOUT_MS } = options
  const limits = {
    maxHeaderSize: MAX_HEAD_BYTES,
    headersTimeout: headTimeoutMs,
    requestTimeout: Math.max(REQUEST_TIMEOUT_MS, headTimeoutMs),
    connectionsCheckingInterval: headTimeoutMs,
  }
  const handler = new Handler(options)
  const server = createServer(limits, (request, response) => void handler.handle(request, response))
  server.maxConnections = MAX_CONNECTIONS
  server.on('connection', socket => void handler.meet(socket))
  tellFull(server, options.note)
  const port = await listen(server, options.port)
  handler.port = port
  return {
    url: `http://${HOST}:${port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function tellFull(server: Server, note: (line: string) => void): void {
  let [open, isTold] = [0, false]
  server.on('connection', (socket: Socket) => {
    open += 1
    socket.once('close', () => {
      open -= 1
      if (open <= MAX_CONNECTIONS / 2) isTold = false
    })
  })
  server.on('drop', () => {
    if (!isTold) note(`connections-full: all ${MAX_CONNECTIONS} connections of the guest API are taken`)
    isTold = true
  })
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EADDRINUSE' && cause.code !== 'EACCES') return reject(cause)
      const why = cause.code === 'EACCES' ? 'may not be used' : 'is in use'
      reject(
        new AgentError('address-in-use', `${HOST}:${port} ${why}`, {
          hint: 'another port; 0 lets the system choose',
          cause,
        }),
      )
    })
    server.listen(port, HOST, () => resolve((server.address() as AddressInfo).port))
  })
}

class Handler {
  /** Set once it is known. */
  port = 0
  readonly #options: GuestApiOptions
  /** Whether the process at the other end is to be answered, once a connection. */
  readonly #welcome = new WeakMap<Socket, Promise<boolean>>()
  #running = 0
  #strangers = 0

  constructor(options: GuestApiOptions) {
    this.#options = options
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#running >= MAX_AT_ONCE) return send(response, BUSY)
    this.#running += 1
    try {
      send(response, await this.#answer(request))
    } finally {
      this.#running -= 1
    }
  }

  /** Looks who it is before a request is there, and holds a stranger's connection for as long as it takes to say no. */
  async meet(socket: Socket): Promise<void> {
    if (await this.#isWelcome(socket)) return
    this.#strangers += 1
    const timer = setTimeout(() => socket.destroy(), this.#strangers > MAX_STRANGERS ? 0 : STRANGER_MS)
    socket.once('close', () => {
      this.#strangers -= 1
      clearTimeout(timer)
    })
  }

  async #answer(request: IncomingMessage): Promise<GuestAnswer> {
    if (!this.#isFromHere(request) || !(await this.#isWelcome(request.socket))) return FORBIDDEN
    const body = await readBody(request)
    if (body === null) return TOO_LARGE
    const [path = '', ...query] = (request.url ?? '').split('?')
    return answerGuest(this.#options.routes, {
      method: request.method ?? '',
      path,
      query: new URLSearchParams(query.join('?')),
      body,
    })
  }

  /**
   * Not a web page: a name that was made to lead here (DNS rebinding) stands in Host, and a page of another origin is
   * told by what browsers add.
   */
  #isFromHere({ headers }: IncomingMessage): boolean {
    const hosts = [`${HOST}:${this.port}`, `localhost:${this.port}`]
    if (headers.host === undefined || !hosts.includes(headers.host.toLowerCase())) return false
    return headers.origin === undefined && headers['sec-fetch-site'] === undefined
  }

  #isWelcome(socket: Socket): Promise<boolean> {
    const known = this.#welcome.get(socket) ?? this.#look(socket)
    this.#welcome.set(socket, known)
    return known
  }

  async #look({ remoteAddress, remotePort, localPort }: Socket): Promise<boolean> {
    if (this.#options.clients === 'any') return true
    if (remoteAddress === undefined || remotePort === undefined || localPort === undefined) return false
    const user = await userOfPeer(
      { address: remoteAddress, port: remotePort },
      { address: HOST, port: localPort },
    )
    // Not root either, who could have it otherwise: its services carry out requests for others.
    return user !== null && user === process.getuid?.()
  }
}

/** The whole body, or null if it is too large. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | null> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += chunk.length
      if (size > MAX_BODY_BYTES) return null
      chunks.push(chunk)
    }
  } catch {
    // Whoever asked has gone.
    return null
  }
  return Buffer.concat(chunks)
}

function send(response: ServerResponse, { status, type, body }: GuestAnswer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    ...(status === 413 ? { connection: 'close' } : {}),
  })
  response.end(body)
}
