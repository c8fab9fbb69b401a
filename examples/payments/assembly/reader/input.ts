// Where in the message reading stands, and what every part of it skips: white space, names, comments, instructions.
import { ascii, isEqual } from '../memory'

const MAX_NAME: u32 = 128
const commentStart = ascii('<!--')
const cdataStart = ascii('<![CDATA[')

export namespace input {
  export let at: usize = 0
  export let end: usize = 0
  export let isAscii: bool = true
}

/** The text or the attribute's value that was read last: in the message, or in the scratch where it had to be made. */
export namespace value {
  export let start: usize = 0
  export let length: u32 = 0
}

// @ts-ignore: decorator
@inline
export function isSpaceByte(byte: u32): bool {
  return byte == 32 || byte == 10 || byte == 13 || byte == 9
}

// @ts-ignore: decorator
@inline
export function skipSpace(): void {
  while (input.at < input.end && isSpaceByte(load<u8>(input.at))) input.at++
}

export function isText(at: usize, text: string): bool {
  for (let index = 0; index < text.length; index++) if (load<u8>(at + index) != text.charCodeAt(index)) return false
  return true
}

/** Letters, digits, `_`, `-`, `.`, `:` and everything that is not ASCII; not beginning with a digit, `-` or `.`. */
export function skipName(): bool {
  const start = input.at
  while (input.at < input.end) {
    const byte: u32 = load<u8>(input.at)
    const isLetter = (byte | 32) - 97 < 26 || byte == 95 || byte == 58 || byte > 127
    if (!isLetter && (input.at == start || !(byte - 48 < 10 || byte == 45 || byte == 46))) break
    input.at++
  }
  return input.at > start && input.at - start <= MAX_NAME
}

/** White space, comments and processing instructions. */
export function skipMisc(): bool {
  while (true) {
    skipSpace()
    if (input.at + 1 >= input.end || load<u8>(input.at) != 60) return true
    const next: u32 = load<u8>(input.at + 1)
    if (next == 33) {
      if (!skipComment()) return false
    } else if (next == 63) {
      if (!skipInstruction()) return false
    } else return true
  }
}

export function skipComment(): bool {
  if (input.end - input.at < 7 || !isEqual(input.at, commentStart, 4)) return false
  for (input.at += 4; input.at + 2 < input.end; input.at++) {
    if (load<u16>(input.at) != 0x2d2d) continue
    // Two hyphens end it, or it is none.
    if (load<u8>(input.at + 2) != 62) return false
    input.at += 3
    return true
  }
  return false
}

export function skipInstruction(): bool {
  input.at += 2
  const target = input.at
  if (!skipName()) return false
  // The target XML is taken, in any case of letters.
  if (input.at - target == 3 && ((load<u32>(target) & 0xffffff) | 0x202020) == 0x6c6d78) return false
  if (input.at < input.end && !isSpaceByte(load<u8>(input.at)) && load<u8>(input.at) != 63) return false
  for (; input.at + 1 < input.end; input.at++) {
    if (load<u16>(input.at) != 0x3e3f) continue
    input.at += 2
    return true
  }
  return false
}

export function skipCdata(): bool {
  if (input.end - input.at < 12 || !isEqual(input.at, cdataStart, 9)) return false
  for (input.at += 9; input.at + 2 < input.end; input.at++) {
    if ((load<u32>(input.at) & 0xffffff) != 0x3e5d5d) continue
    input.at += 3
    return true
  }
  return false
}
