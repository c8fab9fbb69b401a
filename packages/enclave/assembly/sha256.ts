// SHA-256 (FIPS 180-4), and HMAC with it (RFC 2104).
import { DIGEST, ROUND_CONSTANTS, START } from './sha256-constants'

const BLOCK: i32 = 64
/** The words of one block, expanded; and the last blocks of an input. */
// @ts-ignore: decorator
@lazy
const schedule: usize = memory.data(256, 16)
// @ts-ignore: decorator
@lazy
const tail: usize = memory.data(128, 16)
// @ts-ignore: decorator
@lazy
const ended: usize = memory.data(32, 16)

/** The digest of these bytes: 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(DIGEST)
  sha256At(bytes.dataStart, bytes.byteLength, result.dataStart)
  return result
}

/** The same without an object: the digest of `length` bytes at `pointer`, written to the 32 bytes at `into`. */
export function sha256At(pointer: usize, length: i32, into: usize): void {
  start(ended)
  const whole = length & ~(BLOCK - 1)
  compress(ended, pointer, whole)
  finish(pointer + whole, length - whole, length, into)
}

/** Of bytes that come piece by piece: `new Sha256().update(a).update(b).digest()`. */
export class Sha256 {
  private state: StaticArray<u8> = new StaticArray<u8>(DIGEST)
  private block: StaticArray<u8> = new StaticArray<u8>(BLOCK)
  private length: u64 = 0

  constructor() {
    start(changetype<usize>(this.state))
  }

  update(bytes: Uint8Array): Sha256 {
    return this.updateAt(bytes.dataStart, bytes.byteLength)
  }

  updateAt(pointer: usize, length: i32): Sha256 {
    const state = changetype<usize>(this.state)
    const block = changetype<usize>(this.block)
    const filled = <i32>this.length & (BLOCK - 1)
    this.length += length
    if (filled > 0) {
      const missing = min(BLOCK - filled, length)
      memory.copy(block + filled, pointer, missing)
      if (filled + missing < BLOCK) return this
      compress(state, block, BLOCK)
      pointer += missing
      length -= missing
    }
    const whole = length & ~(BLOCK - 1)
    compress(state, pointer, whole)
    memory.copy(block, pointer + whole, length - whole)
    return this
  }

  /** Of all that came so far; more may follow. */
  digest(): Uint8Array {
    const result = new Uint8Array(DIGEST)
    this.digestAt(result.dataStart)
    return result
  }

  /** Written to the 32 bytes at `into`. */
  digestAt(into: usize): void {
    memory.copy(ended, changetype<usize>(this.state), DIGEST)
    finish(changetype<usize>(this.block), <i32>this.length & (BLOCK - 1), this.length, into)
  }
}

/** The authentication code of these bytes under a key of any length: 32 bytes. */
export function hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const short = key.byteLength > BLOCK ? sha256(key) : key
  const pad = new Uint8Array(BLOCK)
  pad.set(short)
  for (let at = 0; at < BLOCK; at++) pad[at] ^= 0x36
  const inner = new Sha256().update(pad).update(bytes).digest()
  for (let at = 0; at < BLOCK; at++) pad[at] ^= 0x36 ^ 0x5c
  return new Sha256().update(pad).update(inner).digest()
}

function start(state: usize): void {
  memory.copy(state, changetype<usize>(START), DIGEST)
}

/** The last bytes of an input of `length` bytes, fewer than a block, with what SHA-256 puts behind; from and in `ended`. */
function finish(rest: usize, size: i32, length: u64, into: usize): void {
  const padded = size + 9 <= BLOCK ? BLOCK : 2 * BLOCK
  memory.copy(tail, rest, size)
  memory.fill(tail + size, 0, padded - size)
  store<u8>(tail + size, 0x80)
  store<u64>(tail + padded - 8, bswap<u64>(length << 3))
  compress(ended, tail, padded)
  for (let at = 0; at < DIGEST; at += 4) store<u32>(into + at, bswap<u32>(load<u32>(ended + at)))
}

/** Whole blocks, `length` bytes of them. */
function compress(state: usize, from: usize, length: i32): void {
  for (let at = 0; at < length; at += BLOCK) {
    expand(from + at)
    mix(state)
  }
}

function expand(block: usize): void {
  for (let at: usize = 0; at < 64; at += 4) store<u32>(schedule + at, bswap<u32>(load<u32>(block + at)))
  for (let at = schedule + 64; at < schedule + 256; at += 4) {
    const w15 = load<u32>(at - 60)
    const w2 = load<u32>(at - 8)
    const s0 = rotr<u32>(w15, 7) ^ rotr<u32>(w15, 18) ^ (w15 >>> 3)
    const s1 = rotr<u32>(w2, 17) ^ rotr<u32>(w2, 19) ^ (w2 >>> 10)
    store<u32>(at, load<u32>(at - 64) + s0 + load<u32>(at - 28) + s1)
  }
}

function mix(state: usize): void {
  let a = load<u32>(state)
  let b = load<u32>(state, 4)
  let c = load<u32>(state, 8)
  let d = load<u32>(state, 12)
  let e = load<u32>(state, 16)
  let f = load<u32>(state, 20)
  let g = load<u32>(state, 24)
  let h = load<u32>(state, 28)
  for (let round: usize = 0; round < 256; round += 4) {
    const s1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25)
    const constant = load<u32>(changetype<usize>(ROUND_CONSTANTS) + round)
    const t1 = h + s1 + (g ^ (e & (f ^ g))) + constant + load<u32>(schedule + round)
    const s0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22)
    const t2 = s0 + ((a & b) ^ (c & (a ^ b)))
    h = g
    g = f
    f = e
    e = d + t1
    d = c
    c = b
    b = a
    a = t1 + t2
  }
  store<u32>(state, load<u32>(state) + a)
  store<u32>(state, load<u32>(state, 4) + b, 4)
  store<u32>(state, load<u32>(state, 8) + c, 8)
  store<u32>(state, load<u32>(state, 12) + d, 12)
  store<u32>(state, load<u32>(state, 16) + e, 16)
  store<u32>(state, load<u32>(state, 20) + f, 20)
  store<u32>(state, load<u32>(state, 24) + g, 24)
  store<u32>(state, load<u32>(state, 28) + h, 28)
}
