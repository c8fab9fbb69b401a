// Content between tags: the text of an element that the schema knows, up to and with its end tag, and anybody's.
import { clearScratch, putByte, putReference, scratch, scratchLength } from '../text'
import { input, skipCdata, skipComment, skipInstruction, value } from './input'
import { readEndTag } from './tag'

/** The value stands in the message, or in the scratch where it had to be made. May read 16 bytes behind the end. */
export function readText(): bool {
  const start = input.at
  const less = i8x16.splat(60)
  const and = i8x16.splat(38)
  const carriage = i8x16.splat(13)
  const bracket = i8x16.splat(93)
  while (true) {
    const bytes = v128.load(input.at)
    const special = v128.or(
      v128.or(i8x16.eq(bytes, less), i8x16.eq(bytes, and)),
      v128.or(i8x16.eq(bytes, carriage), i8x16.eq(bytes, bracket)),
    )
    const mask = i8x16.bitmask(special)
    if (mask != 0) {
      input.at += ctz(mask)
      break
    }
    input.at += 16
    if (input.at >= input.end) return false
  }
  if (input.at >= input.end) return false
  if (load<u8>(input.at) != 60 || load<u8>(input.at + 1) != 47) return readMixedText(start)
  value.start = start
  value.length = <u32>(input.at - start)
  return readEndTag()
}

/** With references, CDATA, comments, instructions or line ends of two characters: copied piece by piece. */
function readMixedText(start: usize): bool {
  input.at = start
  clearScratch()
  while (input.at < input.end) {
    const byte: u32 = load<u8>(input.at)
    if (byte == 60) {
      const next: u32 = input.at + 2 < input.end ? load<u8>(input.at + 1) : 0
      if (next == 47) {
        value.start = scratch
        value.length = scratchLength
        return readEndTag()
      }
      if (!readMarkup(next)) return false
    } else if (byte == 38) {
      if (!readReference()) return false
    } else {
      if (isCdataEnd(byte) || !copyText(input.at, input.at + 1)) return false
      input.at++
      if (byte == 13 && input.at < input.end && load<u8>(input.at) == 10) input.at++
    }
  }
  return false
}

/** Within a text, at `<`: CDATA is copied, comments and instructions are skipped; `next` is the byte that follows. */
function readMarkup(next: u32): bool {
  if (next == 63) return skipInstruction()
  if (next != 33) return false
  if (load<u8>(input.at + 2) != 91) return skipComment()
  const text = input.at + 9
  return skipCdata() && copyText(text, input.at - 3)
}

function readReference(): bool {
  const after = putReference(input.at, input.end)
  if (after == 0) return false
  input.at = after
  return true
}

/** `]]>` stands in no text. */
// @ts-ignore: decorator
@inline
function isCdataEnd(byte: u32): bool {
  return byte == 93 && input.end - input.at > 2 && (load<u32>(input.at) & 0xffffff) == 0x3e5d5d
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

/** Text that nobody reads must be well-formed all the same. */
export function skipForeignText(): bool {
  for (; input.at < input.end; input.at++) {
    const byte: u32 = load<u8>(input.at)
    if (byte == 60) return true
    if (isCdataEnd(byte)) return false
    if (byte != 38) continue
    clearScratch()
    const after = putReference(input.at, input.end)
    if (after == 0) return false
    input.at = after - 1
  }
  return false
}
