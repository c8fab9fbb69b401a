// Answers bytes that did not become a request: no HTTP, too large, or too slow. They get a JSON body as well.

import type { Socket } from 'node:net'
import { addressOf } from '../client-address.ts'
import { errorBody } from '../errors.ts'
import { type ProtocolErrors, toBrokerError } from './error-answer.ts'
import type { Logger } from './logging.ts'

interface ParserError extends Error {
  readonly code?: string
  /** A buffer: what was read last. */
  readonly rawPacket?: unknown
}

/** RFC 8446, section 5.1: a handshake record of any version. */
function isTls({ rawPacket }: ParserError): boolean {
  return Buffer.isBuffer(rawPacket) && rawPacket[0] === 0x16 && rawPacket[1] === 0x03
}

export function answerBrokenRequest(
  error: ParserError,
  socket: Socket,
  { logger, protocol }: { readonly logger: Logger; readonly protocol: ProtocolErrors },
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const answer = toBrokerError(Object.assign(error, { statusCode: 400 }))
  const line = { client: addressOf(socket.remoteAddress), status: answer.status, code: answer.code }
  const what = isTls(error) ? 'TLS, where plain HTTP is served' : 'what did not become a request'
  logger.info(line, `answered ${what}`)
  // Nobody knows yet whether a guest or an administrator asked: each finds the members that it reads.
  const body = JSON.stringify({ ...errorBody(answer), ...protocol.bodyOf(answer) })
  const head = [
    `HTTP/1.1 ${answer.status} ${answer.code}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
