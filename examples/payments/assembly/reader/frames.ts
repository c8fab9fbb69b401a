// The elements that are open where reading stands, one frame each, instead of recursion.
import { reserve } from '../memory'
import { PARTICLE, particles, typeFirst } from '../schema-table'
import { scope } from './namespaces'

/** Of elements; the schema needs 13. */
export const MAX_DEPTH: u32 = 32

/** Instead of a type: elements of anybody's, whose content is only well-formed. */
export const FOREIGN: u32 = 0xffff
/** A message may travel in a frame, such as a business message envelope: a header and the document. */
export const ENVELOPE: u32 = 0xfffe

/** Frame: type, next particle, times it came, role, whether in a header; what was declared outside; its tag. */
const FRAME: usize = 32
const frames: usize = reserve((MAX_DEPTH + 2) * FRAME)

export namespace stack {
  export let depth: u32 = 0
}

// @ts-ignore: decorator
@inline
export function frame(at: u32): usize {
  return frames + at * FRAME
}
// @ts-ignore: decorator
@inline
export function typeOf(at: usize): u32 {
  return load<u16>(at)
}
// @ts-ignore: decorator
@inline
export function roleOf(at: usize): u32 {
  return load<u32>(at, 8)
}
/** 1 within a business application header. */
// @ts-ignore: decorator
@inline
export function headerOf(at: usize): u32 {
  return load<u32>(at, 12)
}
// @ts-ignore: decorator
@inline
export function tagStartOf(at: usize): usize {
  return load<u32>(at, 20)
}
// @ts-ignore: decorator
@inline
export function tagLengthOf(at: usize): u32 {
  return load<u32>(at, 24)
}

/** The particle that may come next, and how often it came. */
// @ts-ignore: decorator
@inline
export function particleOf(at: usize): u32 {
  return load<u16>(at, 2)
}
// @ts-ignore: decorator
@inline
export function timesOf(at: usize): u32 {
  return load<u32>(at, 4)
}
// @ts-ignore: decorator
@inline
export function setParticle(at: usize, particle: u32, times: u32): void {
  store<u16>(at, <u16>particle, 2)
  store<u32>(at, times, 4)
}

export function push(type: u32, role: u32, header: u32, tagStart: usize, tagLength: u32): void {
  const at = frame(++stack.depth)
  store<u16>(at, <u16>type)
  setParticle(at, type < ENVELOPE ? typeFirst(type) : 0, 0)
  store<u32>(at, role, 8)
  store<u32>(at, header, 12)
  store<u32>(at, <u32>tagStart, 20)
  store<u32>(at, tagLength, 24)
}

/** Before a tag's attributes: what it declares ends with its element. */
// @ts-ignore: decorator
@inline
export function enterTag(): void {
  store<u32>(frame(stack.depth + 1), scope.bindingCount, 16)
  store<u32>(frame(stack.depth + 1), scope.defaultSpace, 28)
}

/** Undeclares what the tag at `depth + 1` declared. */
// @ts-ignore: decorator
@inline
export function leaveTag(): void {
  scope.bindingCount = load<u32>(frame(stack.depth + 1), 16)
  scope.defaultSpace = load<u32>(frame(stack.depth + 1), 28)
}

/** Whether attributes within an element of this type are anybody's. */
export function isForeignType(type: u32): bool {
  return type == FOREIGN || (type < ENVELOPE && load<u8>(particles + typeFirst(type) * PARTICLE, 24) == 0)
}
