// The connections of one desk: handed to a server that does not listen, ended where they have to make room, drained at the end.

import type { Socket } from 'node:net'
import type { RawServerDefault } from 'fastify'

const SWEEP_MS = 20

export class ServedConnections {
  readonly #server: RawServerDefault
  readonly #onClosed: (connection: number) => void
  /** Whether what a client has asked before it ended its side is answered, as it is over HTTP. */
  readonly #allowHalfOpen: boolean
  readonly #open = new Map<number, Socket>()

  constructor(server: RawServerDefault, onClosed: (connection: number) => void) {
    this.#server = server
    this.#onClosed = onClosed
    this.#allowHalfOpen = (server as { readonly allowHalfOpen?: boolean }).allowHalfOpen === true
    // Node begins to look after slow requests when a server listens; this one never does.
    server.emit('listening')
  }

  /** @param socket none where it was closed on the way */
  serve(socket: Socket | undefined, connection: number): void {
    if (socket === undefined) {
      this.#onClosed(connection)
      return
    }
    socket.allowHalfOpen = this.#allowHalfOpen
    this.#open.set(connection, socket)
    socket.once('close', () => {
      this.#open.delete(connection)
      this.#onClosed(connection)
    })
    // Gone already.
    if (socket.remoteAddress === undefined) socket.destroy()
    else this.#server.emit('connection', socket)
  }

  end(connection: number): void {
    this.#open.get(connection)?.destroy()
  }

  /** Waits for the requests in flight, then cuts what is still open after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    const cut = setTimeout(() => {
      for (const socket of this.#open.values()) socket.destroy()
    }, graceMs)
    const sweep = setInterval(() => this.#server.closeIdleConnections(), SWEEP_MS)
    this.#server.closeIdleConnections()
    await new Promise<void>(resolve => {
      const look = () => {
        if (this.#open.size === 0) resolve()
      }
      for (const socket of this.#open.values()) socket.once('close', look)
      look()
    })
    clearTimeout(cut)
    clearInterval(sweep)
  }
}
