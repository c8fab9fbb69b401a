// Attributes of one tag: they declare namespaces at once, one has a meaning, and every other must be allowed.
import { ascii, isEqual, reserve } from '../memory'
import { clearScratch, putByte, putReference, scratch, scratchLength } from '../text'
import { input, isSpaceByte, skipName, skipSpace, value } from './input'
import { bind, colonOf, NO_NAME, scope, Space, spaceOf, spaceOfPrefix } from './namespaces'

const MAX_ATTRIBUTES: u32 = 16
const attributes: usize = reserve(MAX_ATTRIBUTES * 8)
const schemaLocation = ascii('schemaLocation')
const noSchemaLocation = ascii('noNamespaceSchemaLocation')

export namespace attribute {
  /** How many the tag has. */
  export let count: u32 = 0
  /** The three letters of an attribute Ccy; 0 without one, 1 where they are not three. */
  export let ccy: u32 = 0
}

/** Up to the `>` or `/` of the tag. */
export function readAttributes(): bool {
  attribute.ccy = 0
  attribute.count = 0
  let byte: u32 = input.at < input.end ? load<u8>(input.at) : 0
  while (byte != 62 && byte != 47) {
    if (!isSpaceByte(byte)) return false
    skipSpace()
    byte = input.at < input.end ? load<u8>(input.at) : 0
    if (byte == 62 || byte == 47) break
    if (attribute.count == MAX_ATTRIBUTES || !readAttribute(attribute.count++)) return false
    byte = input.at < input.end ? load<u8>(input.at) : 0
  }
  return true
}

/** Keeps where the name begins and how long it is, and declares a namespace at once. */
function readAttribute(index: u32): bool {
  const name = input.at
  if (!skipName()) return false
  const length = <u32>(input.at - name)
  store<u32>(attributes + index * 8, <u32>name)
  store<u32>(attributes + index * 8, length, 4)
  for (let other: u32 = 0; other < index; other++) {
    const at = attributes + other * 8
    if (load<u32>(at, 4) == length && isEqual(load<u32>(at), name, length)) return false
  }
  skipSpace()
  if (input.at >= input.end || load<u8>(input.at) != 61) return false
  input.at++
  skipSpace()
  if (!readValue()) return false
  if (isXmlns(name, length)) {
    scope.defaultSpace = spaceOf(value.start, value.length)
    return true
  }
  if (isXmlnsPrefix(name, length)) return bind(name + 6, length - 6)
  if (isCcy(name, length)) attribute.ccy = value.length == 3 ? load<u32>(value.start) & 0xffffff : 1
  return true
}

// @ts-ignore: decorator
@inline
function isXmlns(name: usize, length: u32): bool {
  return length == 5 && load<u32>(name) == 0x6e6c6d78 && load<u8>(name + 4) == 115
}
// @ts-ignore: decorator
@inline
function isXmlnsPrefix(name: usize, length: u32): bool {
  return length > 6 && load<u32>(name) == 0x6e6c6d78 && load<u16>(name + 4) == 0x3a73
}
// @ts-ignore: decorator
@inline
function isCcy(name: usize, length: u32): bool {
  return length == 3 && (load<u32>(name) & 0xffffff) == 0x796343
}

/** A quoted value, with references resolved and white space as spaces. */
function readValue(): bool {
  const quote: u32 = input.at < input.end ? load<u8>(input.at) : 0
  if (quote != 34 && quote != 39) return false
  value.start = ++input.at
  let isPlain = true
  for (; input.at < input.end; input.at++) {
    const byte: u32 = load<u8>(input.at)
    if (byte == quote) break
    if (byte == 60) return false
    if (byte == 38 || byte == 9 || byte == 10 || byte == 13) isPlain = false
  }
  if (input.at >= input.end) return false
  value.length = <u32>(input.at - value.start)
  const after = input.at + 1
  if (!isPlain && !normaliseValue(value.start, input.at)) return false
  input.at = after
  return true
}

function normaliseValue(at: usize, until: usize): bool {
  clearScratch()
  while (at < until) {
    const byte: u32 = load<u8>(at)
    if (byte == 38) {
      at = putReference(at, until)
      if (at == 0) return false
      continue
    }
    // A line end of two characters is one.
    if (byte == 13 && at + 1 < until && load<u8>(at + 1) == 10) at++
    if (!putByte(isSpaceByte(byte) ? 32 : byte)) return false
    at++
  }
  value.start = scratch
  value.length = scratchLength
  return true
}

/** Prefixes must be bound. In the message only `Ccy` has a meaning, and hints where a schema is are allowed. */
export function checkAttributes(isForeign: bool): bool {
  for (let index: u32 = 0; index < attribute.count; index++) {
    const name: usize = load<u32>(attributes + index * 8)
    const length = load<u32>(attributes + index * 8, 4)
    if (isXmlns(name, length) || isXmlnsPrefix(name, length)) continue
    const colon = colonOf(name, length)
    if (colon == NO_NAME) return false
    if (colon == 0) {
      if (isForeign || isCcy(name, length)) continue
      return false
    }
    const owner = spaceOfPrefix(name, colon)
    if (owner == Space.unbound) return false
    if (isForeign) continue
    const local = name + colon + 1
    const rest = length - colon - 1
    const isHint = (rest == 14 && isEqual(local, schemaLocation, 14)) || (rest == 25 && isEqual(local, noSchemaLocation, 25))
    if (owner != Space.instance || !isHint) return false
  }
  return true
}
