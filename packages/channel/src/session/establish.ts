// From a TCP connection to an attested one, on either end, within a time.
import type { TLSSocket } from 'node:tls'
import { asChannelError, ChannelError } from '../errors.ts'
import { AttestedConnection } from './connection.ts'
import { type HandshakeSettings, shakeHands } from './handshake.ts'
import { tlsFailure } from './tls.ts'

/** Evidence may have to be made and verified; a platform that makes it slowly takes a second. */
export const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000
/** How long a refused peer has to take its code. */
const LINGER_MS = 1_000

export interface EstablishSettings extends HandshakeSettings {
  readonly timeoutMs: number
  /** Waits for the TLS handshake where that is not done, and checks what it agreed on. */
  readonly secured: (socket: TLSSocket) => Promise<void>
}

/** @throws {ChannelError} what the connection fails for; it is closed then */
export async function establish(socket: TLSSocket, settings: EstablishSettings): Promise<AttestedConnection> {
  const { timeoutMs, secured } = settings
  const timer = setTimeout(() => {
    socket.destroy(
      new ChannelError('handshake-timeout', `the handshake was not done within ${timeoutMs} ms`, {
        expected: `at most ${timeoutMs} ms`,
      }),
    )
  }, timeoutMs)
  let fail: (error: Error) => void = () => undefined
  const failed = new Promise<never>((_, reject) => {
    fail = error => reject(tlsFailure(error))
  })
  failed.catch(() => undefined)
  socket.on('error', fail)
  try {
    await Promise.race([failed, secured(socket)])
    const peer = await Promise.race([failed, shakeHands(socket, settings)])
    return new AttestedConnection(socket, peer, settings.peer)
  } catch (error) {
    linger(socket)
    throw asChannelError(error)
  } finally {
    clearTimeout(timer)
    socket.off('error', fail)
  }
}

/** Closed with bytes unread, TCP would take back the code that the peer is to read. */
function linger(socket: TLSSocket): void {
  socket.on('error', () => undefined)
  if (!socket.writableEnded) {
    socket.destroy()
    return
  }
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}
