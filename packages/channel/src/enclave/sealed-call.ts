// A sealed call: its input is a sealed blob, whose ciphertext goes over a data connection without TLS, since the seal
// protects it already. All else of the blob goes over the attested channel: who opens it, in which order, what it is
// about, its tag, and the key id, without which whoever learns the sealing root later still opens nothing.
import { parseHeader, sizeOfHeader, TAG_SIZE } from '@casemate/enclave'
import { ChannelError } from '../errors.ts'
import { CALL_FRAME, type CallFrame, encodeHead, itemsOf, violation } from './wire.ts'

/** Of the ciphertext's size on the wire. */
const SIZE_SIZE = 4

/** The parts of a blob, in their order. */
export interface SealedParts {
  /** With the additional data. */
  readonly header: Uint8Array
  readonly ciphertext: Uint8Array
  readonly tag: Uint8Array
}

/** Views of a blob. @throws {ChannelError} request-invalid: nothing but a sealed blob leaves this side in the clear */
export function partsOfSealed(blob: Uint8Array): SealedParts {
  const headerSize = sizeOfBlobHeader(blob)
  const end = blob.length - TAG_SIZE
  if (headerSize === null || end < headerSize) {
    throw new ChannelError('request-invalid', 'the input of a sealed call is not a sealed blob', {
      expected: 'what `seal` gave',
      got: `${blob.length} bytes`,
      hint: 'call it with `call`, which encrypts all of its input',
    })
  }
  return {
    header: blob.subarray(0, headerSize),
    ciphertext: blob.subarray(headerSize, end),
    tag: blob.subarray(end),
  }
}

/** Null if the bytes do not begin with the header of a blob. */
function sizeOfBlobHeader(bytes: Uint8Array): number | null {
  try {
    return parseHeader(bytes).form === 'blob' ? sizeOfHeader(bytes) : null
  } catch {
    return null
  }
}

/** The frame of a sealed call, and the items behind its head. */
export function encodeSealedCall(
  id: number,
  name: string,
  { header, ciphertext, tag }: SealedParts,
): { readonly head: Buffer; readonly items: readonly Uint8Array[] } {
  const size = Buffer.alloc(SIZE_SIZE)
  size.writeUInt32LE(ciphertext.length)
  const items = [Buffer.concat([header, tag, size])]
  return { head: encodeHead(CALL_FRAME.sealedCall, id, { name, items }), items }
}

/** A call whose ciphertext is still to come. */
export interface AnnouncedCall {
  readonly id: number
  readonly name: string
  readonly header: Uint8Array
  readonly tag: Uint8Array
  readonly ciphertextSize: number
}

/** @throws {ChannelError} protocol-violation, frame-too-large */
export function decodeSealedCall(frame: CallFrame, maxFrameBytes: number): AnnouncedCall {
  const [item = new Uint8Array(), ...more] = itemsOf(frame)
  const headerSize = item.length - TAG_SIZE - SIZE_SIZE
  const header = item.subarray(0, headerSize)
  if (more.length > 0 || sizeOfBlobHeader(header) !== headerSize) {
    throw violation('the header and the tag of a sealed blob', `${item.length} bytes that are none`)
  }
  const ciphertextSize = Buffer.from(item.buffer, item.byteOffset, item.length).readUInt32LE(
    headerSize + TAG_SIZE,
  )
  const whole = headerSize + ciphertextSize + TAG_SIZE
  if (whole > maxFrameBytes) {
    throw new ChannelError('frame-too-large', `the peer announces a sealed call of ${whole} bytes`, {
      expected: `at most ${maxFrameBytes} bytes`,
      got: `${whole} bytes`,
    })
  }
  const tag = item.subarray(headerSize, headerSize + TAG_SIZE)
  return { id: frame.id, name: frame.name, header, tag, ciphertextSize }
}
