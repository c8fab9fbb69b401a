// Start tags, and end tags of elements that hold a text.
import { isEqual } from '../memory'
import { attribute, checkAttributes, readAttributes } from './attributes'
import { enterTag, frame, isForeignType, stack, typeOf } from './frames'
import { input, isText, skipName, skipSpace } from './input'
import { colonOf, NO_NAME, scope, Space, spaceOfPrefix } from './namespaces'

/** The tag that was opened last. */
export namespace tag {
  export let start: usize = 0
  export let length: u32 = 0
  export let localStart: usize = 0
  export let localLength: u32 = 0
  export let isEmpty: bool = false
  export let space: u32 = 0
}

/** From `<` to `>` of a start tag; declares its namespaces and resolves its own. */
export function readTag(): bool {
  tag.start = ++input.at
  if (!skipName()) return false
  tag.length = <u32>(input.at - tag.start)
  enterTag()
  if (!readAttributes()) return false
  tag.isEmpty = load<u8>(input.at) == 47
  input.at += tag.isEmpty ? 2 : 1
  if (input.at > input.end || load<u8>(input.at - 1) != 62) return false
  if (attribute.count > 0 && !checkAttributes(isForeignType(typeOf(frame(stack.depth))))) return false
  return resolveTag()
}

function resolveTag(): bool {
  const colon = colonOf(tag.start, tag.length)
  if (colon == NO_NAME) return false
  tag.localStart = colon == 0 ? tag.start : tag.start + colon + 1
  tag.localLength = colon == 0 ? tag.length : tag.length - colon - 1
  tag.space = colon == 0 ? scope.defaultSpace : spaceOfPrefix(tag.start, colon)
  return tag.space != Space.unbound
}

export function isLocal(name: string): bool {
  return tag.localLength == name.length && isText(tag.localStart, name)
}

/** The end tag of the element whose start tag was read last. */
export function readEndTag(): bool {
  const after = input.at + 2 + tag.length
  if (after >= input.end || !isEqual(input.at + 2, tag.start, tag.length)) return false
  input.at = after
  if (load<u8>(after) != 62) {
    skipSpace()
    if (input.at >= input.end || load<u8>(input.at) != 62) return false
  }
  input.at++
  return true
}
