// SHA-256 of four inputs at once, one in each lane of a vector: for trees of hashes, in about half the time.
import { DIGEST, ROUND_CONSTANTS, START } from './sha256-constants'

const BLOCK: i32 = 64
/** Word by word, four lanes each. */
// @ts-ignore: decorator
@lazy
const schedule: usize = memory.data(1024, 16)
// @ts-ignore: decorator
@lazy
const state: usize = memory.data(128, 16)
/** Per lane, the last one or two blocks. */
// @ts-ignore: decorator
@lazy
const tails: usize = memory.data(512, 16)

/**
 * Four inputs of `length` bytes each, the first at `inputs`, the next ones `stride` bytes behind it and one another.
 * Their digests are written one after the other to the 128 bytes at `into`.
 */
export function sha256FourAt(inputs: usize, stride: usize, length: i32, into: usize): void {
  for (let word = 0; word < 8; word++) {
    v128.store(state + (word << 4), i32x4.splat(unchecked(START[word])))
  }
  const whole = length & ~(BLOCK - 1)
  for (let at = 0; at < whole; at += BLOCK) compress(inputs + at, stride)
  const size = length - whole
  const padded = size + 9 <= BLOCK ? BLOCK : 2 * BLOCK
  for (let lane: usize = 0; lane < 4; lane++) {
    const tail = tails + lane * (2 * BLOCK)
    memory.copy(tail, inputs + lane * stride + whole, size)
    memory.fill(tail + size, 0, padded - size)
    store<u8>(tail + size, 0x80)
    store<u64>(tail + padded - 8, bswap<u64>((<u64>length) << 3))
  }
  for (let at = 0; at < padded; at += BLOCK) compress(tails + at, 2 * BLOCK)
  turn(state, 16, into, DIGEST)
  turn(state + 64, 16, into + 16, DIGEST)
}

/** Four rows of four big-endian words become four columns of the machine's, or the other way round. */
// @ts-ignore: decorator
@inline
function turn(from: usize, fromStride: usize, to: usize, toStride: usize): void {
  const a = v128.load(from)
  const b = v128.load(from + fromStride)
  const c = v128.load(from + 2 * fromStride)
  const d = v128.load(from + 3 * fromStride)
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5)
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5)
  const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7)
  const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7)
  v128.store(to, swapped(i64x2.shuffle(ab, cd, 0, 2)))
  v128.store(to + toStride, swapped(i64x2.shuffle(ab, cd, 1, 3)))
  v128.store(to + 2 * toStride, swapped(i64x2.shuffle(abHigh, cdHigh, 0, 2)))
  v128.store(to + 3 * toStride, swapped(i64x2.shuffle(abHigh, cdHigh, 1, 3)))
}

// @ts-ignore: decorator
@inline
function swapped(words: v128): v128 {
  return i8x16.shuffle(words, words, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)
}

function compress(from: usize, stride: usize): void {
  for (let word: usize = 0; word < 16; word += 4) turn(from + (word << 2), stride, schedule + (word << 4), 16)
  for (let at = schedule + 256; at < schedule + 1024; at += 16) {
    const w15 = v128.load(at - 240)
    const w2 = v128.load(at - 32)
    const s0 = v128.xor(v128.xor(right(w15, 7), right(w15, 18)), i32x4.shr_u(w15, 3))
    const s1 = v128.xor(v128.xor(right(w2, 17), right(w2, 19)), i32x4.shr_u(w2, 10))
    v128.store(at, i32x4.add(i32x4.add(v128.load(at - 256), s0), i32x4.add(v128.load(at - 112), s1)))
  }
  mix()
}

// @ts-ignore: decorator
@inline
function right(x: v128, by: i32): v128 {
  return v128.or(i32x4.shr_u(x, by), i32x4.shl(x, 32 - by))
}

function mix(): void {
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
    const input = i32x4.add(v128.load(schedule + (round << 4)), i32x4.splat(unchecked(ROUND_CONSTANTS[round])))
    const t1 = i32x4.add(i32x4.add(h, s1), i32x4.add(choice, input))
    const s0 = v128.xor(v128.xor(right(a, 2), right(a, 13)), right(a, 22))
    const majority = v128.bitselect(c, b, v128.xor(a, b))
    h = g
    g = f
    f = e
    e = i32x4.add(d, t1)
    d = c
    c = b
    b = a
    a = i32x4.add(t1, i32x4.add(s0, majority))
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
