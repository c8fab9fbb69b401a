// How alike two words are: 100 where they are equal, less by the share of letters that must be changed, 0 beyond a bound
// that depends on the shorter one. Distance: optimal string alignment (insert, delete, change, swap neighbours).
import { reserve } from './memory'

const rows: usize = reserve(3 * 128)

/** Changes that are allowed between words of which the shorter has so many letters. */
// @ts-ignore: decorator
@inline
export function allowedIn(letters: u32): u32 {
  return letters < 4 ? 0 : letters < 8 ? 1 : 2
}

/** Percent, rounded down; of words with at most 96 letters. */
export function similarity(a: usize, aLength: u32, b: usize, bLength: u32, allowed: u32): u32 {
  const longer = max(aLength, bLength)
  if (longer - min(aLength, bLength) > allowed) return 0
  // A common beginning or end changes no distance, and little is left.
  while (aLength > 0 && bLength > 0 && load<u8>(a) == load<u8>(b)) {
    a++
    b++
    aLength--
    bLength--
  }
  while (aLength > 0 && bLength > 0 && load<u8>(a + aLength - 1) == load<u8>(b + bLength - 1)) {
    aLength--
    bLength--
  }
  const left = max(aLength, bLength)
  let distance: u32 = left
  if (left > 1) distance = allowed < 2 && left > 2 ? left : distanceOf(a, aLength, b, bLength)
  return distance > allowed ? 0 : 100 - (100 * distance) / longer
}

function distanceOf(a: usize, aLength: u32, b: usize, bLength: u32): u32 {
  let before = rows
  let last = rows + 128
  let row = rows + 256
  for (let j: u32 = 0; j <= bLength; j++) store<u8>(last + j, <u8>j)
  for (let i: u32 = 1; i <= aLength; i++) {
    const letter = load<u8>(a + i - 1)
    store<u8>(row, <u8>i)
    for (let j: u32 = 1; j <= bLength; j++) {
      const other = load<u8>(b + j - 1)
      let least: u32 = <u32>load<u8>(last + j - 1) + (letter == other ? 0 : 1)
      least = min(least, <u32>load<u8>(last + j) + 1)
      least = min(least, <u32>load<u8>(row + j - 1) + 1)
      if (i > 1 && j > 1 && letter == load<u8>(b + j - 2) && other == load<u8>(a + i - 2)) {
        least = min(least, <u32>load<u8>(before + j - 2) + 1)
      }
      store<u8>(row + j, <u8>least)
    }
    const free = before
    before = last
    last = row
    row = free
  }
  return load<u8>(last + bLength)
}
