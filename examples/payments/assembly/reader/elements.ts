// The elements of a message, one after the other, held against the schema as they come; no recursion.
import { Capture } from '../layout'
import { isEqual } from '../memory'
import { closeTransaction, keepAmount, keepText, openTransaction } from '../message'
import { Kind, PARTICLE, particles, simpleKind, typeFirst } from '../schema-table'
import { countCharacters, scratch } from '../text'
import { isOfType } from '../types'
import { attribute } from './attributes'
import { readText, skipForeignText } from './content'
import { closeDefinition, envelope, openForeign, openInEnvelope } from './envelope'
import {
  ENVELOPE,
  FOREIGN,
  frame,
  headerOf,
  leaveTag,
  MAX_DEPTH,
  particleOf,
  push,
  roleOf,
  stack,
  tagLengthOf,
  tagStartOf,
  timesOf,
  typeOf,
} from './frames'
import { input, skipCdata, skipComment, skipInstruction, skipSpace, value } from './input'
import { Space } from './namespaces'
import { findParticle, isComplete } from './particles'
import { readTag, tag } from './tag'

/** The type that the schema's element CdtTrfTxInf has. */
const transactionType: u32 = findTransactionType()
function findTransactionType(): u32 {
  let at = particles
  while (load<u8>(at, 30) != Capture.tx) at += PARTICLE
  return load<u16>(at, 28)
}

/** To the end of the root. */
export function readElements(): bool {
  while (stack.depth > 0) {
    const isForeign = typeOf(frame(stack.depth)) == FOREIGN
    if (!isForeign) skipSpace()
    else if (!skipForeignText()) return false
    if (input.at + 2 >= input.end || load<u8>(input.at) != 60) return false
    const next: u32 = load<u8>(input.at + 1)
    if (next == 47) {
      if (!closeElement()) return false
    } else if (next == 33) {
      if (load<u8>(input.at + 2) == 91) {
        if (!isForeign || !skipCdata()) return false
      } else if (!skipComment()) return false
    } else if (next == 63) {
      if (!skipInstruction()) return false
    } else if (!openElement()) return false
  }
  return true
}

function openElement(): bool {
  const parent = frame(stack.depth)
  const type = typeOf(parent)
  if (!readTag() || stack.depth >= MAX_DEPTH) return false
  if (type == FOREIGN) return openForeign(headerOf(parent))
  if (type == ENVELOPE) return openInEnvelope()
  const particle = findParticle(parent, type)
  if (particle == 0) return false
  if (load<u8>(particle, 24) == 0) return openForeign(0)
  if (tag.space != Space.message) return false
  const ownRole: u32 = load<u8>(particle, 31)
  const role = ownRole != 0 ? ownRole : roleOf(parent)
  return load<u8>(particle, 27) == 0 ? readLeaf(particle, role) : openComplex(particle, role)
}

function openComplex(particle: usize, role: u32): bool {
  if (attribute.ccy != 0) return false
  const type: u32 = load<u16>(particle, 28)
  if (tag.isEmpty) {
    leaveTag()
    return isComplete(type, typeFirst(type), 0)
  }
  push(type, role, 0, tag.start, tag.length)
  if (load<u8>(particle, 30) == Capture.tx) openTransaction()
  return true
}

function closeElement(): bool {
  const at = frame(stack.depth)
  const type = typeOf(at)
  const length = tagLengthOf(at)
  const textEnd = input.at
  const after = input.at + 2 + length
  if (after >= input.end || !isEqual(input.at + 2, tagStartOf(at), length)) return false
  input.at = after
  skipSpace()
  if (input.at >= input.end || load<u8>(input.at) != 62) return false
  input.at++
  if (type < ENVELOPE) {
    if (!isComplete(type, particleOf(at), timesOf(at))) return false
    if (type == transactionType) closeTransaction()
  }
  if (envelope.definitionDepth == stack.depth && !closeDefinition(textEnd)) return false
  stack.depth--
  leaveTag()
  return true
}

function readLeaf(particle: usize, role: u32): bool {
  const simple: u32 = load<u16>(particle, 28)
  const isAmount = simpleKind(simple) == Kind.amount
  const ccy = attribute.ccy
  if (isAmount != (ccy != 0)) return false
  if (tag.isEmpty) value.length = 0
  else if (!readText()) return false
  const length = value.length
  // References make more of ASCII.
  const isAscii = input.isAscii && value.start != scratch
  const characters = isAscii || length == 0 ? length : countCharacters(value.start, length)
  if (!isOfType(simple, value.start, length, characters)) return false
  leaveTag()
  const capture: u8 = load<u8>(particle, 30)
  if (isAmount) {
    if (!isCurrencyShaped(ccy)) return false
    keepAmount(capture, ccy)
  } else if (capture != Capture.none) keepText(capture, <u8>role, value.start, length)
  return true
}

function isCurrencyShaped(code: u32): bool {
  return (code & 0xff) - 65 < 26 && ((code >> 8) & 0xff) - 65 < 26 && (code >> 16) - 65 < 26
}
