// Requests of one connection that wait for their answers (RFC 9112, section 9.3.2: a server may close such a connection).
// Some thousand fit into one read, each as good as a request of its own; no guest sends more than one.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const MAX_UNANSWERED = 8

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** `onBeyond` hears of each request beyond; it goes unanswered, and its connection is closed. */
export function boundUnanswered(handler: Handler, onBeyond: (address: string) => void): Handler {
  const connections = new WeakMap<Socket, { readonly address: string; unanswered: number }>()
  return (request, response) => {
    const { socket } = request
    const connection = connections.get(socket) ?? { address: socket.remoteAddress ?? '', unanswered: 0 }
    connections.set(socket, connection)
    if (connection.unanswered >= MAX_UNANSWERED || socket.destroyed) {
      onBeyond(connection.address)
      socket.destroy()
      return
    }
    connection.unanswered++
    response.once('close', () => connection.unanswered--)
    handler(request, response)
  }
}
