// CBOR (RFC 8949) as evidence is written in it: definite lengths, shortest integers, no key twice, nothing left over,
// and no tag but those that the caller names. Everything else is not evidence.
import { decode, Tagged } from 'cborg'
import { ChannelError } from '../errors.ts'

/** @throws {ChannelError} evidence-malformed */
export function decodeStrict(bytes: Uint8Array, what: string, tags: readonly number[] = []): unknown {
  try {
    return decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      rejectDuplicateMapKeys: true,
      useMaps: true,
      tags: Tagged.preserve(...tags),
    })
  } catch (cause) {
    // Also where it is nested so deeply that the decoder runs out of stack.
    throw new ChannelError('evidence-malformed', `${what} is not the strict CBOR that it has to be`, {
      cause,
    })
  }
}
