// Lines and fields of text, where they lie in memory: nothing is copied until it is kept.

export const TAB: u8 = 0x09
export const LINE_FEED: u8 = 0x0a
export const CARRIAGE_RETURN: u8 = 0x0d

/** Where the byte is, or `end`. Sixteen at a time: most of a genotype file is only stepped over. */
export function find(start: usize, end: usize, byte: u8): usize {
  let at = start
  const wanted = i8x16.splat(byte)
  for (; at + 16 <= end; at += 16) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(at), wanted))
    if (hits != 0) return at + ctz(hits)
  }
  while (at < end && load<u8>(at) != byte) at++
  return at
}

/** The end of a line's content: before CR LF as before LF. */
export function contentEnd(start: usize, lineEnd: usize): usize {
  return lineEnd > start && load<u8>(lineEnd - 1) == CARRIAGE_RETURN ? lineEnd - 1 : lineEnd
}

export function isText(start: usize, end: usize, text: string): bool {
  const length = <usize>text.length
  if (end - start != length) return false
  for (let i: usize = 0; i < length; i++) if (load<u8>(start + i) != <u8>text.charCodeAt(<i32>i)) return false
  return true
}

export function isPrefix(start: usize, end: usize, text: string): bool {
  const length = <usize>text.length
  return end - start >= length && isText(start, start + length, text)
}

/** Whether two texts are one, letters of either case being the same. */
export function isSame(start: usize, end: usize, otherStart: usize, otherEnd: usize): bool {
  if (end - start != otherEnd - otherStart) return false
  for (let i: usize = 0; start + i < end; i++) {
    if (upper(load<u8>(start + i)) != upper(load<u8>(otherStart + i))) return false
  }
  return true
}

export function upper(byte: u8): u8 {
  return byte >= 0x61 && byte <= 0x7a ? byte - 32 : byte
}

/** Digits only, up to 2^31 - 1 as VCF has it; -1 where it is none, or greater. */
export function parseCount(start: usize, end: usize): i32 {
  if (start == end) return -1
  let value: u64 = 0
  for (let at = start; at < end; at++) {
    const digit = load<u8>(at) - 48
    if (digit > 9) return -1
    value = value * 10 + digit
    if (value > <u64>i32.MAX_VALUE) return -1
  }
  return <i32>value
}

/**
 * A chromosome’s name as a number: up to 8 bytes without "chr", letters in upper case; 0 for one that is longer or
 * empty, which is nowhere. Scores speak of 1 to 22, X, Y and MT.
 */
export function parseChromosome(start: usize, end: usize): u64 {
  let at = start
  const hasPrefix =
    end - at > 3 &&
    upper(load<u8>(at)) == 0x43 &&
    upper(load<u8>(at + 1)) == 0x48 &&
    upper(load<u8>(at + 2)) == 0x52
  if (hasPrefix) at += 3
  if (end - at > 8) return 0
  let name: u64 = 0
  for (; at < end; at++) name = (name << 8) | upper(load<u8>(at))
  return name
}

/** A copy that stays. */
export function keep(start: usize, end: usize): usize {
  const copy = heap.alloc(end - start)
  memory.copy(copy, start, end - start)
  return copy
}

/** FNV-1a. What is hashed comes from whoever holds the data key: nobody floods a table. */
export function hashBytes(start: usize, end: usize): u32 {
  let hash: u32 = 0x811c9dc5
  for (let at = start; at < end; at++) hash = (hash ^ load<u8>(at)) * 0x01000193
  return hash
}
