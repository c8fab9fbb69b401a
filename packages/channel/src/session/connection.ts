// A connection whose other side has proved itself, and that ends when what was proved is no longer valid.
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { ChannelError } from '../errors.ts'
import { atMoment } from '../moment.ts'
import type { Peer, PeerDemands } from '../peer/demands.ts'
import { verifierOf } from '../peer/verifier.ts'
import { endSoon } from './end.ts'

/** Endorsements that can be asked for again are, so long before a verdict ends; at the latest after half of its time. */
const RENEWAL_MARGIN_MS = 60_000

export class AttestedConnection {
  /** Bytes of the application, both ways. Destroying it closes the connection. */
  readonly socket: Duplex
  /**
   * Resolves when the connection has ended: with why, or with null if it was closed. Node does not tell a peer that
   * closes from a network that cuts the stream off, so that an end of the bytes is no word of the peer's: what is
   * spoken has to say for itself where it ends, as calls and HTTP do.
   */
  readonly closed: Promise<ChannelError | null>
  readonly #socket: TLSSocket
  #peer: Peer | null
  #waits: readonly (() => void)[] = []
  #reason: ChannelError | null = null

  constructor(socket: TLSSocket, peer: Peer | null, demands: PeerDemands | 'anyone') {
    this.socket = socket
    this.#socket = socket
    this.#peer = peer
    this.closed = new Promise(resolve => {
      socket.once('close', () => {
        this.#stopWaiting()
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

  /** The other side; null if anyone was taken. */
  get peer(): Peer | null {
    return this.#peer
  }

  /** Sends what is still to be sent, then ends the connection. */
  async close(): Promise<void> {
    endSoon(this.#socket)
    await this.closed
  }

  /** Ends the connection at once; the socket emits the error. */
  fail(error: ChannelError): void {
    this.#reason ??= error
    this.#socket.destroy(error)
  }

  /** The end is waited for whatever becomes of a renewal: endorsements that never come give nobody more time. */
  #watch(demands: PeerDemands): void {
    const peer = this.#peer
    if (peer === null) return
    this.#stopWaiting()
    if (this.#socket.destroyed) return
    const { now } = demands
    const { validUntil } = peer
    const leftMs = validUntil.getTime() - now().getTime()
    if (leftMs < 0) {
      this.#expire(null)
      return
    }
    const unavailable: { cause: unknown } = { cause: null }
    this.#waits = [atMoment({ until: validUntil, now }, () => this.#expire(unavailable.cause))]
    if (typeof demands.endorsements !== 'function') return
    const until = new Date(validUntil.getTime() - Math.min(RENEWAL_MARGIN_MS, leftMs / 2))
    this.#waits = [...this.#waits, atMoment({ until, now }, () => void this.#renew(demands, unavailable))]
  }

  #stopWaiting(): void {
    for (const stop of this.#waits) stop()
    this.#waits = []
  }

  /** Accepted again, it goes on; otherwise it ends when the old verdict does. */
  async #renew(demands: PeerDemands, unavailable: { cause: unknown }): Promise<void> {
    const [peer, certificate] = [this.#peer, this.#socket.getPeerX509Certificate()]
    if (peer === null || certificate === undefined) return
    try {
      const { peer: renewed } = await verifierOf(demands).verdict(certificate, peer.validUntil)
      if (renewed.validUntil <= peer.validUntil) return
      // Evidence that was made for this session alone stays valid.
      this.#peer = peer.freshness === 'cached' ? renewed : { ...peer, validUntil: renewed.validUntil }
      this.#watch(demands)
    } catch (error) {
      unavailable.cause = error
      // It was found wanting, not merely not found: there is nothing to wait for.
      if (!(error instanceof ChannelError) || error.code !== 'endorsements-unavailable') this.#expire(error)
    }
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
}
