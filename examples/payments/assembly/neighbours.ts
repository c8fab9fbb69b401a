// Finds all words that are near to one without looking at the others: two words within k changes have a common word
// that each becomes by leaving out at most k letters. Every such word is in a table by its hash; a filter of bits in
// front of it answers for most that are not. A hash without letter i, or i and j, follows from those of prefixes.
import { reserve } from './memory'

const BASE: u32 = 0x01000193
const powers: usize = reserve(128 * 4)
const prefixes: usize = reserve(128 * 4)

let power: u32 = 1
for (let at = 0; at < 128; at++) {
  store<u32>(powers + at * 4, power)
  power *= BASE
}

export class Neighbours {
  private table: usize
  private filter: usize
  private mask: u32
  private count: u32 = 0

  /** Of 2^bits places. */
  constructor(bits: u32) {
    this.table = reserve(8 << bits)
    this.filter = reserve(((<usize>4) << bits) >> 3)
    this.mask = (1 << bits) - 1
  }

  /** With every word that it becomes by leaving out at most `leave` letters. */
  add(word: usize, length: u32, leave: u32, id: u32): void {
    hashPrefixes(word, length)
    this.insert(hashOf(0, length, length), id)
    if (leave == 0) return
    for (let i: u32 = 0; i < length; i++) {
      this.insert(without(i, length), id)
      if (leave > 1) for (let j = i + 1; j < length; j++) this.insert(withoutTwo(i, j, length), id)
    }
  }

  private insert(hash: u32, id: u32): void {
    assert(this.count < this.mask - (this.mask >> 2), 'the list is too long for its index')
    const bit = hash & ((this.mask << 2) | 3)
    store<u8>(this.filter + (bit >> 3), load<u8>(this.filter + (bit >> 3)) | <u8>((<u32>1) << (bit & 7)))
    let place = (hash >> 3) & this.mask
    for (; load<u32>(this.table + place * 8) != 0; place = (place + 1) & this.mask) {
      if (load<u32>(this.table + place * 8) == hash && load<u32>(this.table + place * 8, 4) == id) return
    }
    store<u32>(this.table + place * 8, hash)
    store<u32>(this.table + place * 8, id, 4)
    this.count++
  }

  /** Begins a search: `next` then gives candidates, some more than once, some by chance. */
  find(word: usize, length: u32, leave: u32): void {
    hashPrefixes(word, length)
    foundCount = 0
    this.collect(hashOf(0, length, length))
    if (leave == 0) return
    for (let i: u32 = 0; i < length; i++) {
      this.collect(without(i, length))
      if (leave > 1) for (let j = i + 1; j < length; j++) this.collect(withoutTwo(i, j, length))
    }
  }

  // @ts-ignore: decorator
  @inline
  private collect(hash: u32): void {
    const bit = hash & ((this.mask << 2) | 3)
    if ((load<u8>(this.filter + (bit >> 3)) & ((<u32>1) << (bit & 7))) != 0) this.collectFrom(hash)
  }

  private collectFrom(hash: u32): void {
    for (let place = (hash >> 3) & this.mask; ; place = (place + 1) & this.mask) {
      const there = load<u32>(this.table + place * 8)
      if (there == 0) return
      if (there == hash) addFound(load<u32>(this.table + place * 8, 4))
    }
  }
}

/** Found by `find`, each once. */
const MAX_FOUND: u32 = 8192
export const found: usize = reserve(MAX_FOUND * 4)
export let foundCount: u32 = 0

function addFound(id: u32): void {
  for (let at: u32 = 0; at < foundCount; at++) if (load<u32>(found + at * 4) == id) return
  assert(foundCount < MAX_FOUND, 'too many neighbours')
  store<u32>(found + foundCount++ * 4, id)
}

function hashPrefixes(word: usize, length: u32): void {
  let hash: u32 = 0
  store<u32>(prefixes, 0)
  for (let at: u32 = 0; at < length; at++) {
    hash = hash * BASE + load<u8>(word + at)
    store<u32>(prefixes + (at + 1) * 4, hash)
  }
}

// @ts-ignore: decorator
@inline
function part(from: u32, to: u32): u32 {
  return load<u32>(prefixes + to * 4) - load<u32>(prefixes + from * 4) * load<u32>(powers + (to - from) * 4)
}

/** Never 0, which is an empty place. */
// @ts-ignore: decorator
@inline
function mix(hash: u32, length: u32): u32 {
  let mixed = (hash ^ length) * 0x9e3779b1
  mixed ^= mixed >> 15
  mixed *= 0x85ebca77
  mixed ^= mixed >> 13
  return mixed | 1
}

// @ts-ignore: decorator
@inline
function hashOf(from: u32, to: u32, length: u32): u32 {
  return mix(part(from, to), length)
}

// @ts-ignore: decorator
@inline
function without(i: u32, length: u32): u32 {
  const rest = length - i - 1
  return mix(load<u32>(prefixes + i * 4) * load<u32>(powers + rest * 4) + part(i + 1, length), length - 1)
}

// @ts-ignore: decorator
@inline
function withoutTwo(i: u32, j: u32, length: u32): u32 {
  const head = load<u32>(prefixes + i * 4) * load<u32>(powers + (j - i - 1) * 4) + part(i + 1, j)
  return mix(head * load<u32>(powers + (length - j - 1) * 4) + part(j + 1, length), length - 2)
}
