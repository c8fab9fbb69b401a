// Which element may come next by the schema, and whether all that must come has come.
import { isChoice, PARTICLE, particles, typeEnd, typeFirst } from '../schema-table'
import { particleOf, setParticle, timesOf } from './frames'
import { tag } from './tag'

/** The particle that the tag is in its parent, or 0; moves the parent's frame there. Names of the schema have 24 letters at most. */
export function findParticle(parent: usize, type: u32): usize {
  const last = typeEnd(type)
  const length = tag.localLength
  const start = tag.localStart
  const first = length >= 8 ? load<u64>(start) : lowBytes(start, length)
  const second = length >= 16 ? load<u64>(start, 8) : length > 8 ? lowBytes(start + 8, length - 8) : 0
  const third = length > 16 ? lowBytes(start + 16, length - 16) : 0
  if (isChoice(type)) {
    if (timesOf(parent) != 0) return 0
    setParticle(parent, particleOf(parent), 1)
    for (let index = typeFirst(type); index < last; index++) {
      const at = particles + index * PARTICLE
      if (load<u8>(at, 24) == length && load<u64>(at) == first && load<u64>(at, 8) == second) return at
    }
    return 0
  }
  let index = particleOf(parent)
  let times = timesOf(parent)
  for (; index < last; index++) {
    const at = particles + index * PARTICLE
    const nameLength: u32 = load<u8>(at, 24)
    const isIt = nameLength == length && load<u64>(at) == first && load<u64>(at, 8) == second && load<u64>(at, 16) == third
    if (isIt || nameLength == 0) {
      const most: u32 = load<u8>(at, 26)
      if (most != 0 && times >= most) return 0
      setParticle(parent, index, times + 1)
      return at
    }
    if (times < <u32>load<u8>(at, 25)) return 0
    times = 0
  }
  return 0
}

// @ts-ignore: decorator
@inline
function lowBytes(at: usize, length: u32): u64 {
  return length >= 8 ? load<u64>(at) : load<u64>(at) & (((<u64>1) << (length << 3)) - 1)
}

/** Whether nothing that must come is missing from particle `index` on, which came `times`. */
export function isComplete(type: u32, index: u32, times: u32): bool {
  if (isChoice(type)) return times != 0
  for (const last = typeEnd(type); index < last; index++) {
    if (times < <u32>load<u8>(particles + index * PARTICLE, 25)) return false
    times = 0
  }
  return true
}
