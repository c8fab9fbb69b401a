// Ending a connection from this side.
import type { TLSSocket } from 'node:tls'

/** How long a peer that does not read has to take what was still to be sent. */
const MAX_FLUSH_MS = 5_000

/** Sends what is still to be sent, then ends the connection; no peer can keep it open by not reading. */
export function endSoon(socket: TLSSocket): void {
  const timer = setTimeout(() => socket.destroy(), MAX_FLUSH_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
  socket.destroySoon()
}
