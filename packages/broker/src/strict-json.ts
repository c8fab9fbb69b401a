// JSON in which no object names a member twice: JSON.parse takes the last one and drops the others, so a policy could
// say one thing to whoever reads it and another to the broker.

/** Longest name that is shown. */
const MAX_SHOWN = 64

/** The first name that an object has twice, null where there is none; `text` must be JSON. */
export function duplicateMember(text: string): string | null {
  /** Of every object that is open, the names so far; null for an array. */
  const open: (Set<string> | null)[] = []
  let isName = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') {
      const end = endOfString(text, at)
      const name = isName ? (JSON.parse(text.slice(at, end)) as string) : ''
      const names = isName ? open.at(-1) : null
      if (names?.has(name) === true) return name.slice(0, MAX_SHOWN)
      names?.add(name)
      isName = false
      at = end - 1
    } else if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : null)
      isName = character === '{'
    } else if (character === '}' || character === ']') {
      open.pop()
    } else if (character === ',') {
      isName = open.at(-1) instanceof Set
    }
  }
  return null
}

/** From quote to quote, since evidence is one long string; every backslash is looked at once. */
function endOfString(text: string, start: number): number {
  let at = text.indexOf('"', start + 1)
  while (at >= 0 && isEscaped(text, at)) at = text.indexOf('"', at + 1)
  return at < 0 ? text.length : at + 1
}

/** An odd number of backslashes stands before it. */
function isEscaped(text: string, quote: number): boolean {
  let at = quote
  while (text[at - 1] === '\\') at--
  return (quote - at) % 2 === 1
}
