// Reads one message: XML 1.0 with namespaces, in one pass, held against the schema as it goes. Refused: a document type
// (and with it every entity but XML's own), other encodings than UTF-8, and what exceeds the bounds below. No recursion.
import { Capture, WHOLE_MESSAGE } from './layout'
import { ascii, isEqual, reserve } from './memory'
import { closeTransaction, keepAmount, keepText, openTransaction } from './message'
import { NAMESPACE } from './schema'
import { isChoice, Kind, PARTICLE, particles, simpleKind, typeEnd, typeFirst } from './schema-table'
import { Bytes, checkBytes, clearScratch, countCharacters, putByte, putReference, scratch, scratchLength } from './text'
import { isOfType } from './types'

/** Of elements; the schema needs 13. */
const MAX_DEPTH: u32 = 32
const MAX_ATTRIBUTES: u32 = 16
const MAX_BINDINGS: u32 = 32
const MAX_NAME: u32 = 128

/** Instead of a type: elements of anybody's, whose content is only well-formed. */
const FOREIGN: u32 = 0xffff
/** What a message may travel in, such as a business message envelope: a header and the document. */
const ENVELOPE: u32 = 0xfffe

/** Frame: type, next particle, times it came, role, flags, bindings, its tag (pointer, length). */
const FRAME: usize = 32
const frames: usize = reserve((MAX_DEPTH + 2) * FRAME)
/** Binding: prefix (pointer, length), namespace. */
const BINDING: usize = 12
const bindings: usize = reserve(MAX_BINDINGS * BINDING)
const attributes: usize = reserve(MAX_ATTRIBUTES * 8)

namespace Space {
  export const none: u32 = 0
  export const message: u32 = 1
  export const instance: u32 = 2
  export const header: u32 = 3
  export const other: u32 = 4
  export const unbound: u32 = 5
}
const messageSpace = ascii(NAMESPACE)
const instanceSpace = ascii('http://www.w3.org/2001/XMLSchema-instance')
const headerSpace = ascii('urn:iso:std:iso:20022:tech:xsd:head.001.')
const definition = ascii('pacs.008.001.07')
const schemaLocation = ascii('schemaLocation')
const noSchemaLocation = ascii('noNamespaceSchemaLocation')
const versionText = ascii('<?xml')
const commentStart = ascii('<!--')
const cdataStart = ascii('<![CDATA[')

let p: usize = 0
let end: usize = 0
let isAscii: bool = true
let depth: u32 = 0
let bindingCount: u32 = 0
let defaultSpace: u32 = 0
let hasDocument: bool = false
/** Of the tag that was opened last. */
let tagStart: usize = 0
let tagLength: u32 = 0
let localStart: usize = 0
let localLength: u32 = 0
let isEmptyTag: bool = false
let space: u32 = 0
/** The three letters of an attribute Ccy; 0 without one, 1 where they are not three. */
let ccy: u32 = 0
/** The text that was read last. */
let valueStart: usize = 0
let valueLength: u32 = 0
/** Where the definition's name stands in a header. */
let definitionStart: usize = 0
let definitionDepth: u32 = 0

/** Where reading stopped, as an offset in bytes. */
export let stoppedAt: u32 = 0

// @ts-ignore: decorator
@inline
function frame(at: u32): usize {
  return frames + at * FRAME
}
// @ts-ignore: decorator
@inline
function isSpaceByte(byte: u32): bool {
  return byte == 32 || byte == 10 || byte == 13 || byte == 9
}

/** Whether it is a valid message; its parts have been kept by message.ts. May read 32 bytes behind the end. */
export function readMessage(from: usize, until: usize): bool {
  p = from
  end = until
  depth = 0
  bindingCount = 0
  defaultSpace = Space.none
  hasDocument = false
  definitionDepth = 0
  const bytes = checkBytes(from, until)
  isAscii = bytes == Bytes.ascii
  const ok = bytes != Bytes.invalid && readProlog() && readElements() && hasDocument && readMisc() && p == end
  stoppedAt = <u32>(p - from)
  return ok
}

function readProlog(): bool {
  // A byte order mark.
  if (end - p >= 3 && (load<u32>(p) & 0xffffff) == 0xbfbbef) p += 3
  if (end - p > 6 && isEqual(p, versionText, 5) && isSpaceByte(load<u8>(p + 5))) {
    if (!readDeclaration()) return false
  }
  return readMisc() && p < end && load<u8>(p) == 60 && openRoot()
}

/** `<?xml version="1.0" encoding="UTF-8" standalone="…"?>` */
function readDeclaration(): bool {
  p += 5
  if (!readPseudo('version') || !isPseudo('1.0', '1.0')) return false
  if (readPseudo('encoding') && !isPseudo('UTF-8', 'utf-8')) return false
  if (readPseudo('standalone') && !isPseudo('yes', 'no')) return false
  skipSpace()
  if (end - p < 2 || load<u16>(p) != 0x3e3f) return false
  p += 2
  return true
}

/** ` name = "value"`; nothing is read where it is another name. */
function readPseudo(name: string): bool {
  let at = p
  while (at < end && isSpaceByte(load<u8>(at))) at++
  if (at == p || end - at < <usize>name.length || !isText(at, name)) return false
  at += name.length
  while (at < end && isSpaceByte(load<u8>(at))) at++
  if (at >= end || load<u8>(at) != 61) return false
  at++
  while (at < end && isSpaceByte(load<u8>(at))) at++
  const quote: u32 = at < end ? load<u8>(at) : 0
  if (quote != 34 && quote != 39) return false
  valueStart = ++at
  while (at < end && load<u8>(at) != quote) at++
  valueLength = <u32>(at - valueStart)
  if (at >= end) return false
  p = at + 1
  return true
}

function isPseudo(one: string, other: string): bool {
  return (valueLength == one.length && isText(valueStart, one)) || (valueLength == other.length && isText(valueStart, other))
}

function isText(at: usize, text: string): bool {
  for (let index = 0; index < text.length; index++) if (load<u8>(at + index) != text.charCodeAt(index)) return false
  return true
}

// @ts-ignore: decorator
@inline
function skipSpace(): void {
  while (p < end && isSpaceByte(load<u8>(p))) p++
}

/** White space, comments and processing instructions. */
function readMisc(): bool {
  while (true) {
    skipSpace()
    if (p + 1 >= end || load<u8>(p) != 60) return true
    const next: u32 = load<u8>(p + 1)
    if (next == 33) {
      if (!skipComment()) return false
    } else if (next == 63) {
      if (!skipInstruction()) return false
    } else return true
  }
}

function skipComment(): bool {
  if (end - p < 7 || !isEqual(p, commentStart, 4)) return false
  for (p += 4; p + 2 < end; p++) {
    if (load<u16>(p) != 0x2d2d) continue
    // Two hyphens end it, or it is none.
    if (load<u8>(p + 2) != 62) return false
    p += 3
    return true
  }
  return false
}

function skipInstruction(): bool {
  p += 2
  const target = p
  if (!skipName()) return false
  // The target XML is taken, in any case of letters.
  if (p - target == 3 && ((load<u32>(target) & 0xffffff) | 0x202020) == 0x6c6d78) return false
  if (p < end && !isSpaceByte(load<u8>(p)) && load<u8>(p) != 63) return false
  for (; p + 1 < end; p++) {
    if (load<u16>(p) != 0x3e3f) continue
    p += 2
    return true
  }
  return false
}

/** Letters, digits, `_`, `-`, `.`, `:` and everything that is not ASCII; not beginning with a digit, `-` or `.`. */
function skipName(): bool {
  const start = p
  while (p < end) {
    const byte: u32 = load<u8>(p)
    const isLetter = (byte | 32) - 97 < 26 || byte == 95 || byte == 58 || byte > 127
    if (!isLetter && (p == start || !(byte - 48 < 10 || byte == 45 || byte == 46))) break
    p++
  }
  return p > start && p - start <= MAX_NAME
}

/** From `<` to `>` of a start tag; declares its namespaces and resolves its own. */
function readTag(): bool {
  tagStart = ++p
  if (!skipName()) return false
  tagLength = <u32>(p - tagStart)
  const outer = bindingCount
  store<u32>(frame(depth + 1), outer, 16)
  store<u32>(frame(depth + 1), defaultSpace, 28)
  ccy = 0
  let count: u32 = 0
  let byte: u32 = p < end ? load<u8>(p) : 0
  while (byte != 62 && byte != 47) {
    if (!isSpaceByte(byte)) return false
    skipSpace()
    byte = p < end ? load<u8>(p) : 0
    if (byte == 62 || byte == 47) break
    if (count == MAX_ATTRIBUTES || !readAttribute(count++)) return false
    byte = p < end ? load<u8>(p) : 0
  }
  isEmptyTag = byte == 47
  p += isEmptyTag ? 2 : 1
  if (p > end || load<u8>(p - 1) != 62) return false
  if (count > 0 && !checkAttributes(count)) return false
  return resolveTag()
}

/** Keeps where the name begins and how long it is, and declares a namespace at once. */
function readAttribute(index: u32): bool {
  const name = p
  if (!skipName()) return false
  const length = <u32>(p - name)
  store<u32>(attributes + index * 8, <u32>name)
  store<u32>(attributes + index * 8, length, 4)
  for (let other: u32 = 0; other < index; other++) {
    const at = attributes + other * 8
    if (load<u32>(at, 4) == length && isEqual(load<u32>(at), name, length)) return false
  }
  skipSpace()
  if (p >= end || load<u8>(p) != 61) return false
  p++
  skipSpace()
  if (!readValue()) return false
  if (isXmlns(name, length)) {
    defaultSpace = spaceOf(valueStart, valueLength)
    return true
  }
  if (isXmlnsPrefix(name, length)) return bind(name + 6, length - 6)
  if (isCcy(name, length)) ccy = valueLength == 3 ? load<u32>(valueStart) & 0xffffff : 1
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

function bind(prefix: usize, length: u32): bool {
  if (bindingCount == MAX_BINDINGS || valueLength == 0) return false
  if ((length == 3 && isText(prefix, 'xml')) || (length == 5 && isText(prefix, 'xmlns'))) return false
  const at = bindings + bindingCount++ * BINDING
  store<u32>(at, <u32>prefix)
  store<u32>(at, length, 4)
  store<u32>(at, spaceOf(valueStart, valueLength), 8)
  return true
}

function spaceOf(at: usize, length: u32): u32 {
  if (length == 0) return Space.none
  if (length == NAMESPACE.length && isEqual(at, messageSpace, length)) return Space.message
  if (length == 41 && isEqual(at, instanceSpace, 41)) return Space.instance
  return length > 40 && isEqual(at, headerSpace, 40) ? Space.header : Space.other
}

function spaceOfPrefix(prefix: usize, length: u32): u32 {
  for (let index = bindingCount; index > 0; index--) {
    const at = bindings + (index - 1) * BINDING
    if (load<u32>(at, 4) == length && isEqual(load<u32>(at), prefix, length)) return load<u32>(at, 8)
  }
  return length == 3 && isText(prefix, 'xml') ? Space.other : Space.unbound
}

/** A quoted value, with references resolved and white space as spaces. */
function readValue(): bool {
  const quote: u32 = p < end ? load<u8>(p) : 0
  if (quote != 34 && quote != 39) return false
  valueStart = ++p
  let isPlain = true
  for (; p < end; p++) {
    const byte: u32 = load<u8>(p)
    if (byte == quote) break
    if (byte == 60) return false
    if (byte == 38 || byte == 9 || byte == 10 || byte == 13) isPlain = false
  }
  if (p >= end) return false
  valueLength = <u32>(p - valueStart)
  const after = p + 1
  if (!isPlain && !normaliseValue(valueStart, p)) return false
  p = after
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
  valueStart = scratch
  valueLength = scratchLength
  return true
}

/** Prefixes must be bound. In the message only `Ccy` has a meaning, and hints where a schema is are allowed. */
function checkAttributes(count: u32): bool {
  const type: u32 = load<u16>(frame(depth))
  const isForeign = type == FOREIGN || (type < ENVELOPE && load<u8>(particles + typeFirst(type) * PARTICLE, 24) == 0)
  for (let index: u32 = 0; index < count; index++) {
    const name: usize = load<u32>(attributes + index * 8)
    const length = load<u32>(attributes + index * 8, 4)
    if (isXmlns(name, length) || isXmlnsPrefix(name, length)) continue
    const colon = colonOf(name, length)
    if (colon == WHOLE_MESSAGE) return false
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

/** Where the prefix ends; 0 without one, all ones where the name is none with namespaces. */
function colonOf(name: usize, length: u32): u32 {
  let colon: u32 = 0
  for (let at: u32 = 0; at < length; at++) {
    if (load<u8>(name + at) != 58) continue
    if (colon != 0 || at == 0 || at == length - 1) return WHOLE_MESSAGE
    const next: u32 = load<u8>(name + at + 1)
    if (next - 48 < 10 || next == 45 || next == 46) return WHOLE_MESSAGE
    colon = at
  }
  return colon
}

function resolveTag(): bool {
  const colon = colonOf(tagStart, tagLength)
  if (colon == WHOLE_MESSAGE) return false
  localStart = colon == 0 ? tagStart : tagStart + colon + 1
  localLength = colon == 0 ? tagLength : tagLength - colon - 1
  space = colon == 0 ? defaultSpace : spaceOfPrefix(tagStart, colon)
  return space != Space.unbound
}

function openRoot(): bool {
  store<u16>(frame(0), ENVELOPE)
  if (!readTag()) return false
  if (isLocal('Document')) return openDocument(0)
  if (isEmptyTag || ccy != 0) return false
  push(ENVELOPE, 0)
  return true
}

function isLocal(name: string): bool {
  return localLength == name.length && isText(localStart, name)
}

function openDocument(at: u32): bool {
  if (space != Space.message || hasDocument || isEmptyTag || ccy != 0) return false
  hasDocument = true
  // The second type of the schema: what is in a document.
  push(1, 0)
  return true
}

function push(type: u32, role: u32): void {
  const at = frame(++depth)
  const isComplex = type < ENVELOPE
  store<u16>(at, <u16>type)
  store<u16>(at, isComplex ? <u16>typeFirst(type) : 0, 2)
  store<u32>(at, 0, 4)
  store<u32>(at, role, 8)
  store<u32>(at, 0, 12)
  store<u32>(at, <u32>tagStart, 20)
  store<u32>(at, tagLength, 24)
}

/** Undeclares what the tag at `depth + 1` declared. */
// @ts-ignore: decorator
@inline
function leaveTag(): void {
  bindingCount = load<u32>(frame(depth + 1), 16)
  defaultSpace = load<u32>(frame(depth + 1), 28)
}

function readElements(): bool {
  while (depth > 0) {
    if (load<u16>(frame(depth)) == FOREIGN) {
      if (!skipForeignText()) return false
    } else skipSpace()
    if (p + 2 >= end || load<u8>(p) != 60) return false
    const next: u32 = load<u8>(p + 1)
    if (next == 47) {
      if (!closeElement()) return false
    } else if (next == 33) {
      if (load<u8>(p + 2) == 91) {
        if (load<u16>(frame(depth)) != FOREIGN || !skipCdata()) return false
      } else if (!skipComment()) return false
    } else if (next == 63) {
      if (!skipInstruction()) return false
    } else if (!openElement()) return false
  }
  return true
}

function skipForeignText(): bool {
  for (; p < end; p++) {
    const byte: u32 = load<u8>(p)
    if (byte == 60) return true
    if (byte == 93 && end - p > 2 && (load<u32>(p) & 0xffffff) == 0x3e5d5d) return false
    if (byte != 38) continue
    clearScratch()
    const after = putReference(p, end)
    if (after == 0) return false
    p = after - 1
  }
  return false
}

function skipCdata(): bool {
  if (end - p < 12 || !isEqual(p, cdataStart, 9)) return false
  for (p += 9; p + 2 < end; p++) {
    if ((load<u32>(p) & 0xffffff) != 0x3e5d5d) continue
    p += 3
    return true
  }
  return false
}

function openElement(): bool {
  const parent = frame(depth)
  const type: u32 = load<u16>(parent)
  if (!readTag() || depth >= MAX_DEPTH) return false
  if (type == FOREIGN) return openForeign(load<u32>(parent, 12))
  if (type == ENVELOPE) return openInEnvelope()
  const particle = findParticle(parent, type)
  if (particle == 0) return false
  if (load<u8>(particle, 24) == 0) return openForeign(0)
  if (space != Space.message) return false
  const ownRole: u32 = load<u8>(particle, 31)
  const role = ownRole != 0 ? ownRole : load<u32>(parent, 8)
  if (load<u8>(particle, 27) == 0) return readLeaf(particle, role)
  if (isEmptyTag) return ccy == 0 && isEmptyAllowed(load<u16>(particle, 28)) && (leaveTag(), true)
  if (ccy != 0) return false
  push(load<u16>(particle, 28), role)
  if (load<u8>(particle, 30) == Capture.tx) openTransaction()
  return true
}

function openInEnvelope(): bool {
  if (isLocal('Document')) return openDocument(depth)
  if (!isLocal('AppHdr') || space != Space.header || hasDocument) return false
  // One header, before the document.
  if (load<u32>(frame(depth), 4) != 0) return false
  store<u32>(frame(depth), 1, 4)
  return openForeign(1)
}

/** `header` is 1 within a business application header. */
function openForeign(header: u32): bool {
  if (isEmptyTag) {
    leaveTag()
    return true
  }
  if (header == 1 && isLocal('MsgDefIdr') && definitionDepth == 0) {
    definitionDepth = depth + 1
    definitionStart = p
  }
  push(FOREIGN, 0)
  store<u32>(frame(depth), header, 12)
  return true
}

/** The particle that the element is, or 0; moves the parent's frame there. */
function findParticle(parent: usize, type: u32): usize {
  const last = typeEnd(type)
  let length = localLength
  if (length > 24) return 0
  const first = length >= 8 ? load<u64>(localStart) : lowBytes(localStart, length)
  const second = length >= 16 ? load<u64>(localStart, 8) : length > 8 ? lowBytes(localStart + 8, length - 8) : 0
  const third = length > 16 ? lowBytes(localStart + 16, length - 16) : 0
  if (isChoice(type)) {
    if (load<u32>(parent, 4) != 0) return 0
    store<u32>(parent, 1, 4)
    for (let index = typeFirst(type); index < last; index++) {
      const at = particles + index * PARTICLE
      if (load<u8>(at, 24) == length && load<u64>(at) == first && load<u64>(at, 8) == second) return at
    }
    return 0
  }
  let index: u32 = load<u16>(parent, 2)
  let times = load<u32>(parent, 4)
  for (; index < last; index++) {
    const at = particles + index * PARTICLE
    const nameLength: u32 = load<u8>(at, 24)
    const isIt = nameLength == length && load<u64>(at) == first && load<u64>(at, 8) == second && load<u64>(at, 16) == third
    if (isIt || nameLength == 0) {
      const most: u32 = load<u8>(at, 26)
      if (most != 0 && times >= most) return 0
      store<u16>(parent, <u16>index, 2)
      store<u32>(parent, times + 1, 4)
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
function isComplete(type: u32, index: u32, times: u32): bool {
  if (isChoice(type)) return times != 0
  for (const last = typeEnd(type); index < last; index++) {
    if (times < <u32>load<u8>(particles + index * PARTICLE, 25)) return false
    times = 0
  }
  return true
}

function isEmptyAllowed(type: u32): bool {
  return isComplete(type, typeFirst(type), 0)
}

function closeElement(): bool {
  const at = frame(depth)
  const type: u32 = load<u16>(at)
  const length = load<u32>(at, 24)
  const closing = p
  if (p + 2 + length >= end || !isEqual(p + 2, load<u32>(at, 20), length)) return false
  p += 2 + length
  skipSpace()
  if (p >= end || load<u8>(p) != 62) return false
  p++
  if (type < ENVELOPE) {
    if (!isComplete(type, load<u16>(at, 2), load<u32>(at, 4))) return false
    if (type == transactionType) closeTransaction()
  }
  if (definitionDepth == depth && depth > 0) {
    // The header says which message follows: it must be this one.
    if (closing - definitionStart != 15 || !isEqual(definitionStart, definition, 15)) return false
    definitionDepth = WHOLE_MESSAGE
  }
  depth--
  leaveTag()
  return true
}

/** The type that the schema's element CdtTrfTxInf has. */
const transactionType: u32 = findTransactionType()
function findTransactionType(): u32 {
  let at = particles
  while (load<u8>(at, 30) != Capture.tx) at += PARTICLE
  return load<u16>(at, 28)
}

function readLeaf(particle: usize, role: u32): bool {
  const simple: u32 = load<u16>(particle, 28)
  const isAmount = simpleKind(simple) == Kind.amount
  if (isAmount != (ccy != 0)) return false
  const code = ccy
  if (isEmptyTag) {
    valueLength = 0
  } else if (!readText()) return false
  const characters = isAscii || valueLength == 0 ? valueLength : countCharacters(valueStart, valueLength)
  if (!isOfType(simple, valueStart, valueLength, characters)) return false
  leaveTag()
  const capture: u8 = load<u8>(particle, 30)
  if (isAmount) return isCurrencyShaped(code) && (keepAmount(capture, code), true)
  if (capture != Capture.none) keepText(capture, <u8>role, valueStart, valueLength)
  return true
}

function isCurrencyShaped(code: u32): bool {
  return (code & 0xff) - 65 < 26 && ((code >> 8) & 0xff) - 65 < 26 && (code >> 16) - 65 < 26
}

/** Up to and with the end tag; the value stands in the message, or in the scratch where it had to be made. */
function readText(): bool {
  valueStart = p
  const less = i8x16.splat(60)
  const and = i8x16.splat(38)
  const carriage = i8x16.splat(13)
  const bracket = i8x16.splat(93)
  while (true) {
    const bytes = v128.load(p)
    const special = v128.or(
      v128.or(i8x16.eq(bytes, less), i8x16.eq(bytes, and)),
      v128.or(i8x16.eq(bytes, carriage), i8x16.eq(bytes, bracket)),
    )
    const mask = i8x16.bitmask(special)
    if (mask != 0) {
      p += ctz(mask)
      break
    }
    p += 16
    if (p >= end) return false
  }
  if (p >= end) return false
  if (load<u8>(p) == 60 && load<u8>(p + 1) == 47) {
    valueLength = <u32>(p - valueStart)
    return readEndTag()
  }
  return readMixedText()
}

/** The end tag of the element whose start tag was read last. */
function readEndTag(): bool {
  if (p + 2 + tagLength >= end || !isEqual(p + 2, tagStart, tagLength)) return false
  p += 2 + tagLength
  if (load<u8>(p) != 62) {
    skipSpace()
    if (p >= end || load<u8>(p) != 62) return false
  }
  p++
  return true
}

/** With references, CDATA, comments, instructions or line ends of two characters: copied piece by piece. */
function readMixedText(): bool {
  p = valueStart
  clearScratch()
  while (p < end) {
    const byte: u32 = load<u8>(p)
    if (byte == 38) {
      p = putReference(p, end)
      if (p == 0) return (p = end), false
    } else if (byte == 60) {
      const next: u32 = p + 2 < end ? load<u8>(p + 1) : 0
      if (next == 47) {
        valueStart = scratch
        valueLength = scratchLength
        return readEndTag()
      }
      if (next == 33 && load<u8>(p + 2) == 91) {
        const text = p + 9
        if (!skipCdata() || !copyText(text, p - 3)) return false
      } else if (next == 33) {
        if (!skipComment()) return false
      } else if (next != 63 || !skipInstruction()) return false
    } else {
      if (byte == 93 && end - p > 2 && (load<u32>(p) & 0xffffff) == 0x3e5d5d) return false
      if (!copyText(p, p + 1)) return false
      p++
      if (byte == 13 && p < end && load<u8>(p) == 10) p++
    }
  }
  return false
}

/** Line ends become one character. */
function copyText(at: usize, until: usize): bool {
  for (; at < until; at++) {
    const byte: u32 = load<u8>(at)
    if (byte == 13 && at + 1 < until && load<u8>(at + 1) == 10) continue
    if (!putByte(byte == 13 ? 10 : byte)) return false
  }
  return true
}
