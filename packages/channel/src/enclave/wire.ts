// Calls to an enclave as frames. Each is a header of 12 bytes (size of what follows, type, length of the name, number
// of items, id; little-endian), the name, the length of each item, and the items one after the other: what goes to an
// instance is the tail of a frame as it came, in a buffer of its own.
import type { Duplex } from 'node:stream'
import { ChannelError } from '../errors.ts'

/** Both directions; a peer that speaks another version does not get past the TLS handshake. */
export const ENCLAVE_PROTOCOL = 'casemate-enclave/1'

export const CALL_FRAME = {
  /** The first frame of each side: {@link WireLimits}. */
  limits: 0,
  call: 1,
  answer: 2,
  /** Its name is the code; an item says more. */
  failure: 3,
  /** From a client: it wants a data connection. From a server: {@link DataOffer}. */
  data: 4,
  /** Its ciphertext comes over the data connection: sealed-call.ts. */
  sealedCall: 5,
} as const
export type CallFrameType = (typeof CALL_FRAME)[keyof typeof CALL_FRAME]

/** Of a data connection, in bytes. */
export const TICKET_SIZE = 32
const PORT_SIZE = 2

export const HEADER_SIZE = 12
export const LENGTH_SIZE = 4
export const MAX_NAME_LENGTH = 0xff
export const MAX_ITEMS = 0xffff

/** Limits on what one side takes of the other. */
export interface WireLimits {
  /** Bytes of one frame after its header. */
  readonly maxFrameBytes: number
  /** Calls that are not answered yet; a client keeps more back. */
  readonly maxCallsInFlight: number
}

/** An enclave's input fits many times over; a frame is one allocation of whoever receives it. */
export const DEFAULT_WIRE_LIMITS: WireLimits = { maxFrameBytes: 16 * 1024 * 1024, maxCallsInFlight: 64 }

/** Less would not even carry the code of a failure. */
const MIN_FRAME_BYTES = 1024

export interface CallFrame {
  readonly type: number
  readonly id: number
  readonly name: string
  readonly lengths: readonly number[]
  /** All items; a buffer of its own, to be given away. */
  readonly payload: Uint8Array<ArrayBuffer>
}

/** Everything of a frame but its items. @throws {ChannelError} request-invalid */
export function encodeHead(
  type: CallFrameType,
  id: number,
  { name, items }: { readonly name: string; readonly items: readonly Uint8Array[] },
): Buffer {
  const nameBytes = Buffer.from(name, 'utf8')
  if (nameBytes.length > MAX_NAME_LENGTH || items.length > MAX_ITEMS) {
    throw new ChannelError('request-invalid', 'the call does not fit a frame', {
      expected: `a name of ${MAX_NAME_LENGTH} bytes, ${MAX_ITEMS} items`,
      got: `${nameBytes.length} bytes, ${items.length} items`,
    })
  }
  const prefix = nameBytes.length + LENGTH_SIZE * items.length
  const head = Buffer.allocUnsafe(HEADER_SIZE + prefix)
  head.writeUInt32LE(prefix + sizeOf(items), 0)
  head.writeUInt8(type, 4)
  head.writeUInt8(nameBytes.length, 5)
  head.writeUInt16LE(items.length, 6)
  head.writeUInt32LE(id, 8)
  head.set(nameBytes, HEADER_SIZE)
  let at = HEADER_SIZE + nameBytes.length
  for (const { length } of items) at = head.writeUInt32LE(length, at)
  return head
}

/** Bytes of a frame after its header. */
export function bodySize(head: Buffer): number {
  return head.readUInt32LE(0)
}

export function sizeOf(items: readonly Uint8Array[]): number {
  return items.reduce((size, { length }) => size + length, 0)
}

/** The items of a frame: views, not copies. */
export function itemsOf({ payload, lengths }: CallFrame): Uint8Array<ArrayBuffer>[] {
  let at = 0
  return lengths.map(length => payload.subarray(at, (at += length)))
}

/** Smaller items are copied together: a write of each would cost more. */
const MIN_MEAN_WRITE_BYTES = 512

/** Writes a frame as one; false if the socket has enough for now. */
export function writeFrame(socket: Duplex, head: Buffer, items: readonly Uint8Array[]): boolean {
  socket.cork()
  let flows = socket.write(head)
  for (const part of partsOf(items)) flows = socket.write(part)
  socket.uncork()
  return flows
}

/** The items as they can be written with the least copying; TLS copies them once anyway. */
function partsOf(items: readonly Uint8Array[]): readonly Uint8Array[] {
  const [first, second] = items
  if (first === undefined || second === undefined) return items
  let end = first.byteOffset
  const isAdjacent = items.every(item => {
    const follows = item.buffer === first.buffer && item.byteOffset === end
    end += item.length
    return follows
  })
  // As the outputs of a batch lie.
  if (isAdjacent) return [new Uint8Array(first.buffer, first.byteOffset, end - first.byteOffset)]
  return sizeOf(items) >= MIN_MEAN_WRITE_BYTES * items.length ? items : [Buffer.concat(items)]
}

export function encodeLimits({ maxFrameBytes, maxCallsInFlight }: WireLimits): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(maxFrameBytes, 0)
  bytes.writeUInt32LE(maxCallsInFlight, 4)
  return bytes
}

/** @throws {ChannelError} protocol-violation */
export function decodeLimits({ type, payload }: CallFrame): WireLimits {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length)
  if (type === CALL_FRAME.limits && bytes.length === 8) {
    const limits = { maxFrameBytes: bytes.readUInt32LE(0), maxCallsInFlight: bytes.readUInt32LE(4) }
    if (limits.maxFrameBytes >= MIN_FRAME_BYTES && limits.maxCallsInFlight > 0) return limits
  }
  throw violation('limits as the first frame', `a frame of type ${type}`)
}

/** Where a client's data connection is to go, and what it has to begin with. */
export interface DataOffer {
  readonly port: number
  /** 32 bytes. */
  readonly ticket: Uint8Array
}

export function encodeDataOffer({ port, ticket }: DataOffer): Uint8Array {
  const bytes = Buffer.alloc(PORT_SIZE + ticket.length)
  bytes.writeUInt16LE(port)
  bytes.set(ticket, PORT_SIZE)
  return bytes
}

/** @throws {ChannelError} protocol-violation */
export function decodeDataOffer(offer: Uint8Array): DataOffer {
  const bytes = Buffer.from(offer.buffer, offer.byteOffset, offer.length)
  if (bytes.length !== PORT_SIZE + TICKET_SIZE)
    throw violation('a port and a ticket', `${bytes.length} bytes`)
  return { port: bytes.readUInt16LE(), ticket: bytes.subarray(PORT_SIZE) }
}

export function violation(expected: string, got: string): ChannelError {
  return new ChannelError('protocol-violation', `the peer sent ${got}, want ${expected}`, { expected, got })
}
