// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein): a keyed hash, so that nobody outside can make two payments
// or two debtors fall together. Short inputs.
import { reserve } from './memory'

let key0: u64 = 0
let key1: u64 = 0
const tail: usize = reserve(16)
export let low: u64 = 0
export let high: u64 = 0

export function setHashKey(pointer: usize): void {
  key0 = load<u64>(pointer)
  key1 = load<u64>(pointer, 8)
}

/** Leaves the hash in `low` and `high`. */
export function hash(pointer: usize, length: u32): void {
  let v0: u64 = key0 ^ 0x736f6d6570736575
  let v1: u64 = key1 ^ 0x646f72616e646f83
  let v2: u64 = key0 ^ 0x6c7967656e657261
  let v3: u64 = key1 ^ 0x7465646279746573
  const full = length & ~7
  for (let at: u32 = 0; at <= full; at += 8) {
    let word: u64
    if (at < full) word = load<u64>(pointer + at)
    else {
      store<u64>(tail, 0)
      memory.copy(tail, pointer + at, length & 7)
      store<u8>(tail, <u8>length, 7)
      word = load<u64>(tail)
    }
    v3 ^= word
    for (let round = 0; round < 2; round++) {
      v0 += v1; v1 = rotl<u64>(v1, 13) ^ v0; v0 = rotl<u64>(v0, 32)
      v2 += v3; v3 = rotl<u64>(v3, 16) ^ v2
      v0 += v3; v3 = rotl<u64>(v3, 21) ^ v0
      v2 += v1; v1 = rotl<u64>(v1, 17) ^ v2; v2 = rotl<u64>(v2, 32)
    }
    v0 ^= word
  }
  v2 ^= 0xee
  for (let half = 0; half < 2; half++) {
    for (let round = 0; round < 4; round++) {
      v0 += v1; v1 = rotl<u64>(v1, 13) ^ v0; v0 = rotl<u64>(v0, 32)
      v2 += v3; v3 = rotl<u64>(v3, 16) ^ v2
      v0 += v3; v3 = rotl<u64>(v3, 21) ^ v0
      v2 += v1; v1 = rotl<u64>(v1, 17) ^ v2; v2 = rotl<u64>(v2, 32)
    }
    if (half == 0) {
      low = v0 ^ v1 ^ v2 ^ v3
      v1 ^= 0xdd
    } else high = v0 ^ v1 ^ v2 ^ v3
  }
}
