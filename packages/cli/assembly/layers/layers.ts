// The work that `casemate bench layers` measures: the SHA-256 (FIPS 180-4) of a record, plain or sealed. It reads every
// byte and computes on it, and its answer is small: what most services do with what they are sent.
import { fail, unseal } from 'casemate'

const BLOCK = 64
const K: StaticArray<u32> = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]
const START: StaticArray<u32> = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]
const schedule = new StaticArray<u32>(64)
const state = new StaticArray<u32>(8)
const tail = new StaticArray<u8>(2 * BLOCK)

export function digest(record: Uint8Array): Uint8Array {
  return sha256(record.dataStart, record.byteLength)
}

export function digestSealed(blob: Uint8Array): Uint8Array {
  const opened = unseal(blob)
  if (opened.status != 0) return fail(opened.status)
  return sha256(opened.plaintext.dataStart, opened.plaintext.byteLength)
}

function sha256(pointer: usize, length: i32): Uint8Array {
  for (let i = 0; i < 8; i++) unchecked((state[i] = START[i]))
  let done = 0
  for (; done + BLOCK <= length; done += BLOCK) compress(pointer + done)
  const rest = length - done
  const padded = rest + 9 <= BLOCK ? BLOCK : 2 * BLOCK
  const end = changetype<usize>(tail)
  memory.fill(end, 0, 2 * BLOCK)
  memory.copy(end, pointer + done, rest)
  store<u8>(end + rest, 0x80)
  store<u64>(end + padded - 8, bswap<u64>(<u64>length << 3))
  for (let at = 0; at < padded; at += BLOCK) compress(end + at)
  const result = new Uint8Array(32)
  for (let i = 0; i < 8; i++) store<u32>(result.dataStart + (i << 2), bswap<u32>(unchecked(state[i])))
  return result
}

function compress(block: usize): void {
  for (let t = 0; t < 16; t++) unchecked((schedule[t] = bswap<u32>(load<u32>(block + (t << 2)))))
  for (let t = 16; t < 64; t++) {
    const w15 = unchecked(schedule[t - 15])
    const w2 = unchecked(schedule[t - 2])
    const s0 = rotr<u32>(w15, 7) ^ rotr<u32>(w15, 18) ^ (w15 >>> 3)
    const s1 = rotr<u32>(w2, 17) ^ rotr<u32>(w2, 19) ^ (w2 >>> 10)
    unchecked((schedule[t] = schedule[t - 16] + s0 + schedule[t - 7] + s1))
  }
  let a = unchecked(state[0]), b = unchecked(state[1]), c = unchecked(state[2]), d = unchecked(state[3])
  let e = unchecked(state[4]), f = unchecked(state[5]), g = unchecked(state[6]), h = unchecked(state[7])
  for (let t = 0; t < 64; t++) {
    const s1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25)
    const t1 = h + s1 + ((e & f) ^ (~e & g)) + unchecked(K[t]) + unchecked(schedule[t])
    const s0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22)
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c))
    h = g
    g = f
    f = e
    e = d + t1
    d = c
    c = b
    b = a
    a = t1 + t2
  }
  unchecked((state[0] += a))
  unchecked((state[1] += b))
  unchecked((state[2] += c))
  unchecked((state[3] += d))
  unchecked((state[4] += e))
  unchecked((state[5] += f))
  unchecked((state[6] += g))
  unchecked((state[7] += h))
}
