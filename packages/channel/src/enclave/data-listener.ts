// Where data connections arrive: TCP without TLS, for ciphertexts of sealed calls alone. A connection says first to which
// session it belongs, by a ticket that the attested channel gave. A ticket that is stolen on its way gets nothing to
// read and can only spoil calls, as whoever sits on the wire can anyway.
import { randomBytes } from 'node:crypto'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { asChannelError, ChannelError } from '../errors.ts'
import { listening } from '../session/listening.ts'
import { KEEP_ALIVE_MS } from '../session/tls.ts'
import { TICKET_SIZE } from './wire.ts'

export interface DataListenerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** How long a connection may take to show its ticket. */
  readonly timeoutMs: number
  /** Of those that have not shown their ticket; one more, and the oldest goes. There are no more others than sessions. */
  readonly maxConnections: number
  /** Told of whoever was not let in for want of room; never throws. */
  readonly onRefused: (error: ChannelError) => void
}

export class DataListener {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Those that have not shown their ticket, oldest first: a client does at once, so that it is strangers who go. */
  readonly #waiting = new Set<Socket>()
  /** By ticket in hex; each is taken once. */
  readonly #expected = new Map<string, (socket: Socket) => void>()
  readonly #timeoutMs: number
  readonly #maxConnections: number
  readonly #onRefused: (error: ChannelError) => void

  private constructor({ timeoutMs, maxConnections, onRefused }: DataListenerOptions) {
    this.#timeoutMs = timeoutMs
    this.#maxConnections = maxConnections
    this.#onRefused = onRefused
    this.#server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
      socket => this.#accept(socket),
    )
  }

  /** @throws {ChannelError} address-unavailable */
  static async open(options: DataListenerOptions): Promise<DataListener> {
    const listener = new DataListener(options)
    await listening(listener.#server, options)
    // A connection that could not be accepted: the others go on.
    listener.#server.on('error', error => listener.#onRefused(asChannelError(error)))
    return listener
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** A ticket for one connection, and what gives it back if nobody came. */
  expect(onConnection: (socket: Socket) => void): { readonly ticket: Buffer; readonly cancel: () => void } {
    const ticket = randomBytes(TICKET_SIZE)
    const name = ticket.toString('hex')
    this.#expected.set(name, onConnection)
    return { ticket, cancel: () => void this.#expected.delete(name) }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    this.#waiting.add(socket)
    if (this.#waiting.size > this.#maxConnections) this.#dropOldest()
    const timer = setTimeout(() => socket.destroy(), this.#timeoutMs)
    timer.unref()
    socket.on('error', () => undefined)
    socket.once('close', () => {
      clearTimeout(timer)
      this.#sockets.delete(socket)
      this.#waiting.delete(socket)
    })
    const onReadable = (): void => {
      const ticket: unknown = socket.read(TICKET_SIZE)
      if (ticket === null) return
      socket.off('readable', onReadable)
      clearTimeout(timer)
      this.#waiting.delete(socket)
      this.#admit(socket, ticket as Buffer)
    }
    socket.on('readable', onReadable)
  }

  #dropOldest(): void {
    const [oldest] = this.#waiting
    if (oldest === undefined) return
    this.#waiting.delete(oldest)
    const why = `${this.#maxConnections} data connections without a ticket: the oldest, of ${oldest.remoteAddress}, made room`
    oldest.destroy()
    this.#onRefused(new ChannelError('connections-full', why))
  }

  /** The rest at the end of a stream is shorter, and no ticket. */
  #admit(socket: Socket, ticket: Buffer): void {
    const name = ticket.toString('hex')
    const onConnection = this.#expected.get(name)
    this.#expected.delete(name)
    if (onConnection === undefined) socket.destroy()
    else onConnection(socket)
  }
}
