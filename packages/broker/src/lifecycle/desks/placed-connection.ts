// A connection that a desk serves, as the process that admitted it holds it.

import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Held } from '../../http/connection-limit.ts'

/** Whoever serves it. */
export interface Server {
  serve(socket: Socket, placed: PlacedConnection): void
  end(placed: PlacedConnection): void
}

export class PlacedConnection extends EventEmitter<{ close: [] }> implements Held {
  readonly remoteAddress: string | undefined
  readonly #server: Server

  constructor(server: Server, remoteAddress: string | undefined) {
    super()
    this.#server = server
    this.remoteAddress = remoteAddress
  }

  handOver(socket: Socket): void {
    this.#server.serve(socket, this)
  }

  destroy(): void {
    this.#server.end(this)
  }
}
