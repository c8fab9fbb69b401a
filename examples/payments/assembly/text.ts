// Bytes and characters: whether bytes are UTF-8 and of characters that XML 1.0 allows, and references resolved.
import { reserve } from './memory'

/** Where texts are put that do not stand in the message as they are: references, CDATA, line ends. */
export const SCRATCH_SIZE: u32 = 16384
export const scratch: usize = reserve(SCRATCH_SIZE + 32)
/** Bytes in `scratch`. */
export let scratchLength: u32 = 0

export namespace Bytes {
  export const invalid: i32 = 0
  export const ascii: i32 = 1
  export const utf8: i32 = 2
}

/** May read 15 bytes behind the end. */
export function checkBytes(from: usize, end: usize): i32 {
  let high: v128 = i64x2.splat(0)
  let control: v128 = i64x2.splat(0)
  const space = i8x16.splat(32)
  const tab = i8x16.splat(9)
  const feed = i8x16.splat(10)
  const carriage = i8x16.splat(13)
  let at = from
  for (; at + 16 <= end; at += 16) {
    const bytes = v128.load(at)
    high = v128.or(high, bytes)
    const low = i8x16.lt_u(bytes, space)
    const allowed = v128.or(v128.or(i8x16.eq(bytes, tab), i8x16.eq(bytes, feed)), i8x16.eq(bytes, carriage))
    control = v128.or(control, v128.andnot(low, allowed))
  }
  let isHigh = i8x16.bitmask(high) != 0
  for (; at < end; at++) {
    const byte: u32 = load<u8>(at)
    if (byte < 32 && byte != 9 && byte != 10 && byte != 13) return Bytes.invalid
    if (byte > 127) isHigh = true
  }
  if (v128.any_true(control)) return Bytes.invalid
  if (!isHigh) return Bytes.ascii
  return isUtf8(from, end) ? Bytes.utf8 : Bytes.invalid
}

function isUtf8(from: usize, end: usize): bool {
  for (let at = from; at < end; ) {
    const first: u32 = load<u8>(at)
    if (first < 128) {
      at++
      continue
    }
    const size: u32 = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
    if (first < 0xc2 || first > 0xf4 || at + size > end) return false
    let point = first & (0x7f >> size)
    for (let next: u32 = 1; next < size; next++) {
      const byte: u32 = load<u8>(at + next)
      if (byte >> 6 != 2) return false
      point = (point << 6) | (byte & 0x3f)
    }
    // Too long, or no character of XML's.
    if ((size == 3 && point < 0x800) || (size == 4 && point < 0x10000) || !isCharacter(point)) return false
    at += size
  }
  return true
}

/** Char of XML 1.0. */
function isCharacter(point: u32): bool {
  if (point < 32) return point == 9 || point == 10 || point == 13
  return point < 0xd800 || (point >= 0xe000 && point <= 0x10ffff && point != 0xfffe && point != 0xffff)
}

export function countCharacters(pointer: usize, length: u32): u32 {
  let count: u32 = 0
  for (let at: u32 = 0; at < length; at++) if (load<u8>(pointer + at) >> 6 != 2) count++
  return count
}

export function clearScratch(): void {
  scratchLength = 0
}

/** False if there is no room, which no valid text needs. */
export function putByte(byte: u32): bool {
  if (scratchLength >= SCRATCH_SIZE) return false
  store<u8>(scratch + scratchLength++, <u8>byte)
  return true
}

function putCharacter(point: u32): bool {
  if (point < 0x80) return putByte(point)
  if (point < 0x800) return putByte(0xc0 | (point >> 6)) && putByte(0x80 | (point & 0x3f))
  if (point < 0x10000) {
    return putByte(0xe0 | (point >> 12)) && putByte(0x80 | ((point >> 6) & 0x3f)) && putByte(0x80 | (point & 0x3f))
  }
  if (!putByte(0xf0 | (point >> 18)) || !putByte(0x80 | ((point >> 12) & 0x3f))) return false
  return putByte(0x80 | ((point >> 6) & 0x3f)) && putByte(0x80 | (point & 0x3f))
}

/** At `&`: puts what is referred to, and gives where it ends; 0 if it is none of XML's own. */
export function putReference(at: usize, end: usize): usize {
  at++
  if (at < end && load<u8>(at) == 35) return putNumber(at + 1, end)
  let semicolon = at
  while (semicolon < end && semicolon < at + 5 && load<u8>(semicolon) != 59) semicolon++
  if (semicolon >= end || load<u8>(semicolon) != 59) return 0
  const length = semicolon - at
  const word = load<u32>(at)
  let byte: u32 = 0
  if (length == 2 && (word & 0xffff) == 0x746c) byte = 60
  if (length == 2 && (word & 0xffff) == 0x7467) byte = 62
  if (length == 3 && (word & 0xffffff) == 0x706d61) byte = 38
  if (length == 4 && word == 0x746f7571) byte = 34
  if (length == 4 && word == 0x736f7061) byte = 39
  return byte != 0 && putByte(byte) ? semicolon + 1 : 0
}

function putNumber(at: usize, end: usize): usize {
  const isHex = at < end && load<u8>(at) == 120
  if (isHex) at++
  const first = at
  let point: u32 = 0
  for (; at < end && point <= 0x10ffff; at++) {
    const byte: u32 = load<u8>(at)
    const letter = (byte | 32) - 97
    if (byte - 48 < 10) point = point * (isHex ? 16 : 10) + byte - 48
    else if (isHex && letter < 6) point = point * 16 + letter + 10
    else break
  }
  if (at == first || at >= end || load<u8>(at) != 59 || !isCharacter(point)) return 0
  return putCharacter(point) ? at + 1 : 0
}
