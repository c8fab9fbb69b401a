// Before the first element may stand: a byte order mark, `<?xml version="1.0" encoding="UTF-8" standalone="…"?>`,
// comments and instructions. No document type, and so no entity but XML's own.
import { ascii, isEqual } from '../memory'
import { input, isSpaceByte, isText, skipMisc, skipSpace, value } from './input'

const versionText = ascii('<?xml')

export function readProlog(): bool {
  if (input.end - input.at >= 3 && (load<u32>(input.at) & 0xffffff) == 0xbfbbef) input.at += 3
  const hasDeclaration =
    input.end - input.at > 6 && isEqual(input.at, versionText, 5) && isSpaceByte(load<u8>(input.at + 5))
  return (!hasDeclaration || readDeclaration()) && skipMisc()
}

function readDeclaration(): bool {
  input.at += 5
  if (!readPseudo('version') || !isPseudo('1.0', '1.0')) return false
  if (readPseudo('encoding') && !isPseudo('UTF-8', 'utf-8')) return false
  if (readPseudo('standalone') && !isPseudo('yes', 'no')) return false
  skipSpace()
  if (input.end - input.at < 2 || load<u16>(input.at) != 0x3e3f) return false
  input.at += 2
  return true
}

/** ` name = "value"`; nothing is read where it is another name. */
function readPseudo(name: string): bool {
  const end = input.end
  let at = afterSpace(input.at)
  if (at == input.at || end - at < <usize>name.length || !isText(at, name)) return false
  at = afterSpace(at + name.length)
  if (at >= end || load<u8>(at) != 61) return false
  at = afterSpace(at + 1)
  const quote: u32 = at < end ? load<u8>(at) : 0
  if (quote != 34 && quote != 39) return false
  value.start = ++at
  while (at < end && load<u8>(at) != quote) at++
  value.length = <u32>(at - value.start)
  if (at >= end) return false
  input.at = at + 1
  return true
}

function afterSpace(at: usize): usize {
  while (at < input.end && isSpaceByte(load<u8>(at))) at++
  return at
}

function isPseudo(one: string, other: string): bool {
  return isValue(one) || isValue(other)
}

function isValue(text: string): bool {
  return value.length == text.length && isText(value.start, text)
}
