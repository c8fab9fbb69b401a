// The enclave with calls that no production build has, for tests: one that fails on purpose, and one that shows a hash.
import { joined, joinedLength, takeApart } from './names'
import { setHashKey, hash, high, low } from './siphash'

export * from './enclave'

/** First byte: 1 traps, 2 never ends, 3 takes all memory there is. */
export function provoke(input: Uint8Array): Uint8Array {
  if (input[0] == 1) unreachable()
  while (input[0] == 2) {}
  while (input[0] == 3) heap.alloc(1 << 20)
  return input
}

/** SipHash-2-4-128 of what comes after the key of 16 bytes. */
export function siphash(input: Uint8Array): Uint8Array {
  setHashKey(input.dataStart)
  hash(input.dataStart + 16, input.byteLength - 16)
  const bytes = new Uint8Array(16)
  store<u64>(bytes.dataStart, low)
  store<u64>(bytes.dataStart, high, 8)
  return bytes
}

/** The words of a name, as they are compared, one after the other. */
export function words(input: Uint8Array): Uint8Array {
  takeApart(input.dataStart, input.byteLength)
  const bytes = new Uint8Array(joinedLength)
  memory.copy(bytes.dataStart, joined, joinedLength)
  return bytes
}
