// Whom an HTTP message came from, beside the message.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Peer } from '../peer/demands.ts'
import type { AttestedConnection } from '../session/connection.ts'

/** HTTP's name on an attested channel (ALPN): no other HTTP client or server speaks it by accident. */
export const HTTP_PROTOCOL = 'casemate-http/1'

const connections = new WeakMap<Duplex, AttestedConnection>()
const responses = new WeakMap<Response, Peer | null>()

export function rememberConnection(connection: AttestedConnection): void {
  connections.set(connection.socket, connection)
}

export function rememberResponse(response: Response, message: IncomingMessage): Response {
  responses.set(response, peerOf(message))
  return response
}

/**
 * Who sent a request to an attested server, or answered a fetch; null if anyone was taken.
 * @throws {TypeError} if the message did not come over an attested channel
 */
export function peerOf(message: IncomingMessage | Response): Peer | null {
  if (message instanceof Response) {
    const peer = responses.get(message)
    if (peer !== undefined) return peer
  } else {
    const connection = connections.get(message.socket)
    if (connection !== undefined) return connection.peer
  }
  throw new TypeError('the message did not come over an attested channel')
}
