// The tree over the decisions of one frame: RFC 9162, like the ledger's own. A leaf is salted, so that whoever is shown
// one decision learns nothing of the others; all salts follow from the frame's secret seed.
//
//   salt(i) = SHA-256( seed, 32 bytes | i, u32 little-endian )      leaf(i) = SHA-256( 00 | salt(i) | record, 64 bytes )
import { sha256FourAt } from 'casemate'
import { reserve } from './memory'
import { RECORD } from './wire'

/** Decisions in one frame. */
export const MAX_LEAVES: u32 = 8192
/** The hashes of all levels, the leaves first. */
const hashes: usize = reserve(<usize>MAX_LEAVES * 2 * 32 + 2048)
const salts: usize = reserve(<usize>MAX_LEAVES * 32 + 128)
/** Of four leaves or pairs: what is hashed, each at its place. */
const INPUT: usize = 128
const inputs: usize = reserve(4 * INPUT)
/** Where the root of the tree that was built last stands. */
export let root: usize = 0

/** Of `count` records, at least one, at `records` and then every `stride` bytes. */
export function buildTree(records: usize, stride: usize, count: u32, seed: usize): void {
  makeSalts(count, seed)
  for (let first: u32 = 0; first < count; first += 4) {
    for (let lane: u32 = 0; lane < 4; lane++) {
      const index = min(first + lane, count - 1)
      const input = inputs + lane * INPUT
      store<u8>(input, 0)
      memory.copy(input + 1, salts + index * 32, 32)
      memory.copy(input + 33, records + index * stride, RECORD)
    }
    sha256FourAt(inputs, INPUT, 97, hashes + first * 32)
  }
  let level = hashes
  for (let width = count; width > 1; width = (width + 1) >> 1) level = buildLevel(level, width)
  root = level
}

function makeSalts(count: u32, seed: usize): void {
  for (let first: u32 = 0; first < count; first += 4) {
    for (let lane: u32 = 0; lane < 4; lane++) {
      memory.copy(inputs + lane * INPUT, seed, 32)
      store<u32>(inputs + lane * INPUT, first + lane, 32)
    }
    sha256FourAt(inputs, INPUT, 36, salts + first * 32)
  }
}

/** Pairs of the level; the last one without a partner goes up as it is. Gives where the next level begins. */
function buildLevel(level: usize, width: u32): usize {
  const above = level + width * 32
  const pairs = width >> 1
  for (let first: u32 = 0; first < pairs; first += 4) {
    for (let lane: u32 = 0; lane < 4; lane++) {
      const pair = min(first + lane, pairs - 1)
      store<u8>(inputs + lane * INPUT, 1)
      memory.copy(inputs + lane * INPUT + 1, level + pair * 64, 64)
    }
    // Behind the last pair nothing stands yet.
    sha256FourAt(inputs, INPUT, 65, above + first * 32)
  }
  if ((width & 1) != 0) memory.copy(above + pairs * 32, level + (width - 1) * 32, 32)
  return above
}

export function saltOf(leaf: u32): usize {
  return salts + leaf * 32
}

/** Writes the inclusion proof of a leaf in the tree that was built last; gives its length in bytes. */
export function writeProof(leaf: u32, count: u32, into: usize): u32 {
  let level = hashes
  let length: u32 = 0
  for (let width = count; width > 1; width = (width + 1) >> 1) {
    const sibling = leaf ^ 1
    if (sibling < width) {
      memory.copy(into + length, level + sibling * 32, 32)
      length += 32
    }
    level += width * 32
    leaf >>= 1
  }
  return length
}
