// A connection whose other side has proved itself, and that ends when what was proved is no longer valid.
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { ChannelError } from '../errors.ts'
import type { Peer, PeerDemands } from '../peer/demands.ts'
import { verifierOf } from '../peer/verifier.ts'

/** Endorsements that can be asked for again are, so long before a verdict ends; at the latest after half of its time. */
const RENEWAL_MARGIN_MS = 60_000
/** What timers count to. */
const MAX_TIMER_MS = 0x7fff_ffff

export class AttestedConnection {
  /** Bytes of the application, both ways. Destroying it closes the connection. */
  readonly socket: Duplex
  /** Resolves when the connection has ended: with why, or with null where either side closed it. */
  readonly closed: Promise<ChannelError | null>
  readonly #socket: TLSSocket
  #peer: Peer | null
  #timer: NodeJS.Timeout | null = null
  #reason: ChannelError | null = null

  constructor(socket: TLSSocket, peer: Peer | null, demands: PeerDemands | 'anyone') {
    this.socket = socket
    this.#socket = socket
    this.#peer = peer
    this.closed = new Promise(resolve => {
      socket.once('close', () => {
        if (this.#timer !== null) clearTimeout(this.#timer)
        resolve(this.#reason)
      })
    })
    // Also keeps an error that nobody listens for from ending the process.
    socket.on('error', error => {
      this.#reason ??=
        error instanceof ChannelError
          ? error
          : new ChannelError('connection-lost', `the connection was lost: ${error.message}`, { cause: error })
    })
    if (demands !== 'anyone') this.#watch(demands)
  }

  /** The other side; null where anyone was taken. */
  get peer(): Peer | null {
    return this.#peer
  }

  /** Sends what is still to be sent, then ends the connection. */
  async close(): Promise<void> {
    this.#socket.destroySoon()
    await this.closed
  }

  /** Ends the connection at once; the socket emits the error. */
  fail(error: ChannelError): void {
    this.#reason ??= error
    this.#socket.destroy(error)
  }

  #watch(demands: PeerDemands): void {
    const peer = this.#peer
    if (peer === null || this.#socket.destroyed) return
    const leftMs = peer.validUntil.getTime() - demands.now().getTime()
    if (leftMs < 0) {
      this.#expire(null)
      return
    }
    const canRenew = typeof demands.endorsements === 'function'
    const marginMs = canRenew ? Math.min(RENEWAL_MARGIN_MS, leftMs / 2) : 0
    this.#wait(leftMs - marginMs, () => {
      if (canRenew) void this.#renew(demands, peer)
      else this.#watch(demands)
    })
  }

  /** Accepted again, it goes on; otherwise it ends when the old verdict does. */
  async #renew(demands: PeerDemands, peer: Peer): Promise<void> {
    let cause: unknown = null
    try {
      const certificate = this.#socket.getPeerX509Certificate()
      if (certificate === undefined) return
      const { peer: renewed } = await verifierOf(demands).verdictAnew(certificate)
      if (renewed.validUntil > peer.validUntil) {
        // What was said for this session alone stays said.
        this.#peer = peer.freshness === 'cached' ? renewed : { ...peer, validUntil: renewed.validUntil }
        this.#watch(demands)
        return
      }
    } catch (error) {
      cause = error
      // It was found wanting, not merely not found: there is nothing to wait for.
      if (error instanceof ChannelError && error.code !== 'endorsements-unavailable') {
        this.#expire(error)
        return
      }
    }
    const leftMs = peer.validUntil.getTime() - demands.now().getTime()
    this.#wait(leftMs, () => this.#expire(cause))
  }

  #expire(cause: unknown): void {
    const until = this.#peer?.validUntil.toISOString() ?? ''
    this.fail(
      new ChannelError('session-expired', `what the peer was accepted on was valid until ${until}`, {
        expected: 'evidence that is still valid',
        got: until,
        hint: 'connect again; where that fails too, fetch newer endorsements',
        ...(cause === null ? {} : { cause }),
      }),
    )
  }

  /** The clock is the caller's, the timer the machine's: whoever is woken looks at the clock again. */
  #wait(delayMs: number, then: () => void): void {
    if (this.#socket.destroyed) return
    this.#timer = setTimeout(then, Math.min(Math.max(Math.ceil(delayMs) + 1, 1), MAX_TIMER_MS))
    this.#timer.unref()
  }
}
