// The connections of one listener: at most so many, each with a place from its first packet on. A handshake costs whoever
// begins it next to nothing: where all places are taken, the oldest one that is not done makes room, of the address that has
// the most of them. Who has finished keeps its place.
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { ChannelError } from '../errors.ts'
import { endSoon } from './end.ts'

/** What one connection holds. */
export interface Place {
  readonly address: string
  /** TLS makes another socket of the one that came; ended from below, it would lose what is still to be sent. */
  socket: Socket | TLSSocket
  isSecured: boolean
  isTakenAway: boolean
}

export class Places {
  readonly #max: number
  readonly #tell: (error: ChannelError) => void
  readonly #all = new Set<Place>()
  /** By both ends of the connection, which its two sockets have in common. */
  readonly #byEnds = new Map<string, Place>()
  /** Those whose handshake is not done, by address, oldest first. */
  readonly #beginning = new Map<string, Set<Place>>()

  constructor(max: number, tell: (error: ChannelError) => void) {
    this.#max = max
    this.#tell = tell
  }

  /** False where there is none: then the connection was ended. */
  take(socket: Socket): boolean {
    const { remoteAddress: address = '' } = socket
    if (this.#all.size >= this.#max && !this.#makeRoom()) {
      socket.destroy()
      this.#tell(this.#full(`one more, of ${address}, was not taken`))
      return false
    }
    const place: Place = { address, socket, isSecured: false, isTakenAway: false }
    const ends = endsOf(socket)
    this.#all.add(place)
    // Ends that are there already are those of a connection that is gone, and has not been heard to be.
    this.#byEnds.set(ends, place)
    const beginning = this.#beginning.get(address) ?? new Set()
    this.#beginning.set(address, beginning.add(place))
    socket.once('close', () => {
      if (this.#byEnds.get(ends) === place) this.#byEnds.delete(ends)
      this.#release(place)
    })
    return true
  }

  /** The place of what TLS has made of its socket; null where it is gone already. */
  secured(socket: TLSSocket): Place | null {
    const place = this.#byEnds.get(endsOf(socket)) ?? null
    if (place === null || place.isSecured) return null
    place.socket = socket
    place.isSecured = true
    return place
  }

  /** Its handshake is done. */
  settle(place: Place): void {
    const beginning = this.#beginning.get(place.address)
    beginning?.delete(place)
    if (beginning?.size === 0) this.#beginning.delete(place.address)
  }

  /** Ends all connections: a server that closes waits for them. */
  end(): void {
    for (const { socket, isSecured } of this.#all) {
      if (isSecured) endSoon(socket as TLSSocket)
      else socket.destroy()
    }
  }

  #makeRoom(): boolean {
    let most: Set<Place> = new Set()
    for (const places of this.#beginning.values()) if (places.size > most.size) most = places
    const [oldest] = most
    if (oldest === undefined) return false
    oldest.isTakenAway = true
    this.#release(oldest)
    oldest.socket.destroy()
    this.#tell(this.#full(`the oldest handshake of ${oldest.address}, which has the most, made room`))
    return true
  }

  #release(place: Place): void {
    this.#all.delete(place)
    this.settle(place)
  }

  #full(what: string): ChannelError {
    return new ChannelError('connections-full', `all ${this.#max} connections are taken: ${what}`, {
      hint: 'does somebody hold them? With more memory there may be more (maxConnections)',
    })
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
