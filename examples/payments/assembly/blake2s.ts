// BLAKE2s-256 (RFC 7693) of four messages at a time, one in each lane of a SIMD vector. A lane that has finished takes
// the next message, so that short and long ones share the work. The digest of a message stands in its receipt. It is
// not the SDK's SHA-256 because that takes several times the instructions, for every byte of every message (decision 20).
import { reserve } from './memory'

const IV: StaticArray<u32> = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]
/** Of the words, ten rounds: as offsets in bytes. */
const ORDER: StaticArray<u8> = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
  14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
  11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4,
  7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8,
  9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13,
  2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9,
  12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11,
  13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10,
  6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5,
  10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0,
]

/** Eight words of state, of four lanes each. */
const state: usize = reserve(8 * 16)
/** Sixteen words of the block, of four lanes each. */
const block: usize = reserve(16 * 16)
/** The last block of a lane, filled up with zeros. */
const last: usize = reserve(4 * 64)
/** By lane: bytes done, and all ones in the last block. */
const counts: usize = reserve(16)
const finals: usize = reserve(16)
/** By lane: where it reads, how much is left, and where the digest goes. */
const at: StaticArray<usize> = [0, 0, 0, 0]
const left: StaticArray<u32> = [0, 0, 0, 0]
const target: StaticArray<usize> = [0, 0, 0, 0]

let next: u32 = 0
let total: u32 = 0
let items: usize = 0
let digests: usize = 0
const stride: usize = 32

/** `list` holds pointer and length of each, u32; the digests follow one another at `into`. */
export function digestAll(list: usize, count: u32, into: usize): void {
  items = list
  digests = into
  next = 0
  total = count
  let busy: u32 = 0
  for (let lane: u32 = 0; lane < 4; lane++) if (takeNext(lane)) busy++
  while (busy > 0) {
    fillBlock()
    compress()
    for (let lane: u32 = 0; lane < 4; lane++) {
      if (unchecked(target[lane]) == 0 || load<u32>(finals + lane * 4) == 0) continue
      for (let word: u32 = 0; word < 8; word++) {
        store<u32>(unchecked(target[lane]) + word * 4, load<u32>(state + word * 16 + lane * 4))
      }
      if (!takeNext(lane)) busy--
    }
  }
}

function takeNext(lane: u32): bool {
  store<u32>(finals + lane * 4, 0)
  unchecked((target[lane] = 0))
  unchecked((left[lane] = 0))
  if (next == total) return false
  unchecked((at[lane] = load<u32>(items + next * 8)))
  unchecked((left[lane] = load<u32>(items + next * 8, 4)))
  unchecked((target[lane] = digests + next * stride))
  next++
  store<u32>(counts + lane * 4, 0)
  for (let word: u32 = 0; word < 8; word++) {
    // Digest of 32 bytes, no key, one node.
    store<u32>(state + word * 16 + lane * 4, unchecked(IV[word]) ^ (word == 0 ? 0x01010020 : 0))
  }
  return true
}

/** The next 64 bytes of every lane, transposed. */
function fillBlock(): void {
  for (let lane: u32 = 0; lane < 4; lane++) {
    const rest = unchecked(left[lane])
    if (rest > 64) {
      store<u32>(counts + lane * 4, load<u32>(counts + lane * 4) + 64)
      unchecked((left[lane] = rest - 64))
      continue
    }
    const padded = last + lane * 64
    memory.fill(padded, 0, 64)
    memory.copy(padded, unchecked(at[lane]), rest)
    unchecked((at[lane] = padded))
    store<u32>(counts + lane * 4, load<u32>(counts + lane * 4) + rest)
    store<u32>(finals + lane * 4, 0xffffffff)
  }
  for (let quarter: usize = 0; quarter < 64; quarter += 16) {
    const a = v128.load(unchecked(at[0]) + quarter)
    const b = v128.load(unchecked(at[1]) + quarter)
    const c = v128.load(unchecked(at[2]) + quarter)
    const d = v128.load(unchecked(at[3]) + quarter)
    const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
    const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
    const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
    const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
    v128.store(block + quarter * 4, v128.shuffle<i64>(ab, cd, 0, 2))
    v128.store(block + quarter * 4 + 16, v128.shuffle<i64>(ab, cd, 1, 3))
    v128.store(block + quarter * 4 + 32, v128.shuffle<i64>(abHigh, cdHigh, 0, 2))
    v128.store(block + quarter * 4 + 48, v128.shuffle<i64>(abHigh, cdHigh, 1, 3))
  }
  for (let lane = 0; lane < 4; lane++) if (unchecked(left[lane]) != 0) unchecked((at[lane] += 64))
}

// @ts-ignore: decorator
@inline
function word(order: usize, index: usize): v128 {
  return v128.load(block + (<usize>load<u8>(order + index) << 4))
}

// @ts-ignore: decorator
@inline
function right(x: v128, by: i32, back: i32): v128 {
  return v128.or(i32x4.shr_u(x, by), i32x4.shl(x, back))
}
// @ts-ignore: decorator
@inline
function right16(x: v128): v128 {
  return i8x16.shuffle(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
}
// @ts-ignore: decorator
@inline
function right8(x: v128): v128 {
  return i8x16.shuffle(x, x, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12)
}
// @ts-ignore: decorator
@inline
function start(index: i32): v128 {
  return i32x4.splat(unchecked(IV[index]))
}

function compress(): void {
  let v0 = v128.load(state + 0)
  let v1 = v128.load(state + 16)
  let v2 = v128.load(state + 32)
  let v3 = v128.load(state + 48)
  let v4 = v128.load(state + 64)
  let v5 = v128.load(state + 80)
  let v6 = v128.load(state + 96)
  let v7 = v128.load(state + 112)
  let v8 = start(0)
  let v9 = start(1)
  let v10 = start(2)
  let v11 = start(3)
  let v12 = v128.xor(start(4), v128.load(counts))
  let v13 = start(5)
  let v14 = v128.xor(start(6), v128.load(finals))
  let v15 = start(7)
  const end = changetype<usize>(ORDER) + 160
  for (let order = changetype<usize>(ORDER); order < end; order += 16) {
    v0 = i32x4.add(i32x4.add(v0, v4), word(order, 0))
    v12 = right16(v128.xor(v12, v0))
    v8 = i32x4.add(v8, v12)
    v4 = right(v128.xor(v4, v8), 12, 20)
    v0 = i32x4.add(i32x4.add(v0, v4), word(order, 1))
    v12 = right8(v128.xor(v12, v0))
    v8 = i32x4.add(v8, v12)
    v4 = right(v128.xor(v4, v8), 7, 25)
    v1 = i32x4.add(i32x4.add(v1, v5), word(order, 2))
    v13 = right16(v128.xor(v13, v1))
    v9 = i32x4.add(v9, v13)
    v5 = right(v128.xor(v5, v9), 12, 20)
    v1 = i32x4.add(i32x4.add(v1, v5), word(order, 3))
    v13 = right8(v128.xor(v13, v1))
    v9 = i32x4.add(v9, v13)
    v5 = right(v128.xor(v5, v9), 7, 25)
    v2 = i32x4.add(i32x4.add(v2, v6), word(order, 4))
    v14 = right16(v128.xor(v14, v2))
    v10 = i32x4.add(v10, v14)
    v6 = right(v128.xor(v6, v10), 12, 20)
    v2 = i32x4.add(i32x4.add(v2, v6), word(order, 5))
    v14 = right8(v128.xor(v14, v2))
    v10 = i32x4.add(v10, v14)
    v6 = right(v128.xor(v6, v10), 7, 25)
    v3 = i32x4.add(i32x4.add(v3, v7), word(order, 6))
    v15 = right16(v128.xor(v15, v3))
    v11 = i32x4.add(v11, v15)
    v7 = right(v128.xor(v7, v11), 12, 20)
    v3 = i32x4.add(i32x4.add(v3, v7), word(order, 7))
    v15 = right8(v128.xor(v15, v3))
    v11 = i32x4.add(v11, v15)
    v7 = right(v128.xor(v7, v11), 7, 25)
    v0 = i32x4.add(i32x4.add(v0, v5), word(order, 8))
    v15 = right16(v128.xor(v15, v0))
    v10 = i32x4.add(v10, v15)
    v5 = right(v128.xor(v5, v10), 12, 20)
    v0 = i32x4.add(i32x4.add(v0, v5), word(order, 9))
    v15 = right8(v128.xor(v15, v0))
    v10 = i32x4.add(v10, v15)
    v5 = right(v128.xor(v5, v10), 7, 25)
    v1 = i32x4.add(i32x4.add(v1, v6), word(order, 10))
    v12 = right16(v128.xor(v12, v1))
    v11 = i32x4.add(v11, v12)
    v6 = right(v128.xor(v6, v11), 12, 20)
    v1 = i32x4.add(i32x4.add(v1, v6), word(order, 11))
    v12 = right8(v128.xor(v12, v1))
    v11 = i32x4.add(v11, v12)
    v6 = right(v128.xor(v6, v11), 7, 25)
    v2 = i32x4.add(i32x4.add(v2, v7), word(order, 12))
    v13 = right16(v128.xor(v13, v2))
    v8 = i32x4.add(v8, v13)
    v7 = right(v128.xor(v7, v8), 12, 20)
    v2 = i32x4.add(i32x4.add(v2, v7), word(order, 13))
    v13 = right8(v128.xor(v13, v2))
    v8 = i32x4.add(v8, v13)
    v7 = right(v128.xor(v7, v8), 7, 25)
    v3 = i32x4.add(i32x4.add(v3, v4), word(order, 14))
    v14 = right16(v128.xor(v14, v3))
    v9 = i32x4.add(v9, v14)
    v4 = right(v128.xor(v4, v9), 12, 20)
    v3 = i32x4.add(i32x4.add(v3, v4), word(order, 15))
    v14 = right8(v128.xor(v14, v3))
    v9 = i32x4.add(v9, v14)
    v4 = right(v128.xor(v4, v9), 7, 25)
  }
  v128.store(state + 0, v128.xor(v128.load(state + 0), v128.xor(v0, v8)))
  v128.store(state + 16, v128.xor(v128.load(state + 16), v128.xor(v1, v9)))
  v128.store(state + 32, v128.xor(v128.load(state + 32), v128.xor(v2, v10)))
  v128.store(state + 48, v128.xor(v128.load(state + 48), v128.xor(v3, v11)))
  v128.store(state + 64, v128.xor(v128.load(state + 64), v128.xor(v4, v12)))
  v128.store(state + 80, v128.xor(v128.load(state + 80), v128.xor(v5, v13)))
  v128.store(state + 96, v128.xor(v128.load(state + 96), v128.xor(v6, v14)))
  v128.store(state + 112, v128.xor(v128.load(state + 112), v128.xor(v7, v15)))
}
