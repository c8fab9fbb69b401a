// Looks for a key in bytes of any kind: as it is, as hexadecimal, as base64 and base64url at each of the three
// alignments, and as numbers in JSON; whole or in parts. Every run of sixteen of its bytes is found, in each of these.

/** Of a key, in bytes: any run of fifteen bytes holds one such part whole. */
const PART = 8

export interface Sought {
  readonly form: string
  readonly bytes: Buffer
}

/** All that is looked for. */
export function patternsOf(key: Uint8Array): readonly Sought[] {
  const bytes = Buffer.from(key)
  const patterns: Sought[] = []
  const add = (form: string, bytes: Buffer): number => patterns.push({ form, bytes })
  for (let at = 0; at + PART <= bytes.length; at += PART) {
    const part = bytes.subarray(at, at + PART)
    const where = `bytes ${at} to ${at + PART - 1}`
    add(`raw, ${where}`, part)
    add(`hexadecimal, ${where}`, Buffer.from(part.toString('hex')))
    add(`hexadecimal in capitals, ${where}`, Buffer.from(part.toString('hex').toUpperCase()))
    add(`numbers, ${where}`, Buffer.from([...part].join(',')))
    for (const encoding of ['base64', 'base64url'] as const) {
      for (let shift = 0; shift < 3; shift++)
        add(`${encoding} shifted by ${shift}, ${where}`, whole(part, shift, encoding))
    }
  }
  return patterns
}

/** The characters that depend on nothing but the part, where it begins `shift` bytes after a group of three. */
function whole(part: Buffer, shift: number, encoding: 'base64' | 'base64url'): Buffer {
  const text = Buffer.concat([Buffer.alloc(shift), part]).toString(encoding)
  const first = Math.ceil((shift * 8) / 6)
  const end = Math.floor(((shift + part.length) * 8) / 6)
  return Buffer.from(text.slice(first, end))
}

/** The first form in which the key is in there; null if it is not. */
export function findKey(haystack: Uint8Array, patterns: readonly Sought[]): string | null {
  const bytes = Buffer.from(haystack.buffer, haystack.byteOffset, haystack.length)
  return patterns.find(({ bytes: pattern }) => bytes.includes(pattern))?.form ?? null
}
