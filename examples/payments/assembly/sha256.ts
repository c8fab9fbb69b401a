// SHA-256 (FIPS 180-4) of four inputs of equal length at a time, one in each lane: what the trees of decisions are made of.
import { reserve } from './memory'

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
const IV: StaticArray<u32> = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]

/** Longest input: what two blocks hold. */
export const MAX_INPUT: u32 = 119
/** Four inputs, 128 bytes apart: write here, then `hashFour`. */
export const inputs: usize = reserve(4 * 128)
/** Four digests, 32 bytes apart. */
export const outputs: usize = reserve(4 * 32)
const schedule: usize = reserve(64 * 16)
const state: usize = reserve(8 * 16)

/** Of the four inputs, all of `length` bytes. */
export function hashFour(length: u32): void {
  const blocks: u32 = length < 56 ? 1 : 2
  for (let lane: u32 = 0; lane < 4; lane++) {
    const input = inputs + lane * 128
    memory.fill(input + length, 0, blocks * 64 - length)
    store<u8>(input + length, 0x80)
    store<u32>(input + blocks * 64 - 4, bswap<u32>(length * 8))
  }
  for (let index = 0; index < 8; index++) v128.store(state + index * 16, i32x4.splat(unchecked(IV[index])))
  for (let block: u32 = 0; block < blocks; block++) {
    expand(inputs + block * 64)
    compress()
  }
  for (let lane: u32 = 0; lane < 4; lane++) {
    for (let index: u32 = 0; index < 8; index++) {
      store<u32>(outputs + lane * 32 + index * 4, bswap<u32>(load<u32>(state + index * 16 + lane * 4)))
    }
  }
}

function expand(from: usize): void {
  for (let index: u32 = 0; index < 16; index++) {
    for (let lane: u32 = 0; lane < 4; lane++) {
      store<u32>(schedule + index * 16 + lane * 4, bswap<u32>(load<u32>(from + lane * 128 + index * 4)))
    }
  }
  for (let at = schedule + 256; at < schedule + 1024; at += 16) {
    const a = v128.load(at - 240)
    const b = v128.load(at - 32)
    const low = v128.xor(v128.xor(right(a, 7), right(a, 18)), i32x4.shr_u(a, 3))
    const high = v128.xor(v128.xor(right(b, 17), right(b, 19)), i32x4.shr_u(b, 10))
    v128.store(at, i32x4.add(i32x4.add(v128.load(at - 256), low), i32x4.add(v128.load(at - 112), high)))
  }
}

// @ts-ignore: decorator
@inline
function right(x: v128, by: i32): v128 {
  return v128.or(i32x4.shr_u(x, by), i32x4.shl(x, 32 - by))
}

function compress(): void {
  let a = v128.load(state)
  let b = v128.load(state, 16)
  let c = v128.load(state, 32)
  let d = v128.load(state, 48)
  let e = v128.load(state, 64)
  let f = v128.load(state, 80)
  let g = v128.load(state, 96)
  let h = v128.load(state, 112)
  for (let round = 0; round < 64; round++) {
    const s1 = v128.xor(v128.xor(right(e, 6), right(e, 11)), right(e, 25))
    const choice = v128.bitselect(f, g, e)
    const input = i32x4.add(v128.load(schedule + round * 16), i32x4.splat(unchecked(K[round])))
    const one = i32x4.add(i32x4.add(h, s1), i32x4.add(choice, input))
    const s0 = v128.xor(v128.xor(right(a, 2), right(a, 13)), right(a, 22))
    const majority = v128.bitselect(c, b, v128.xor(a, b))
    h = g
    g = f
    f = e
    e = i32x4.add(d, one)
    d = c
    c = b
    b = a
    a = i32x4.add(one, i32x4.add(s0, majority))
  }
  add(0, a)
  add(16, b)
  add(32, c)
  add(48, d)
  add(64, e)
  add(80, f)
  add(96, g)
  add(112, h)
}

// @ts-ignore: decorator
@inline
function add(offset: usize, value: v128): void {
  v128.store(state + offset, i32x4.add(v128.load(state + offset), value))
}
