// Hexdumps: xxd, hexdump (plain and -C) and od with one, two or four bytes in a group, in hex or octal. Which of them it is
// shows in the first line; offsets have to follow each other, in the radix in which they do. Plain hexdump and od print
// groups as little-endian numbers, xxd as bytes. A line of `*` stands for repeated ones, up to the next offset.

import { damaged, type Form, MAX_SLOW_TEXT } from './layer.ts'

const FIRST_XXD = /^0{6,16}: ?[0-9a-f]{2}/i
const FIRST_PLAIN = /^0{6,16}[ \t]+[0-9a-f]{2,8}\s/i
const OFFSET = /^[0-9a-f]{6,16}$/i
const GROUP = /^[0-9a-f]{2,32}$/i
/** Of offsets: hexdump has 16, od 8 unless told otherwise. */
const RADIXES = [16, 8, 10] as const
/** xxd prints at most 256 bytes in a line, as hex and as text. */
const MAX_LINE_LENGTH = 1_200

interface Line {
  readonly offset: string
  readonly bytes: readonly number[]
}

export const HEXDUMP: Form<string> = {
  name: 'a hexdump',
  open: text => {
    if (text.length > MAX_SLOW_TEXT) return null
    const isXxd = FIRST_XXD.test(text)
    if (!isXxd && !FIRST_PLAIN.test(text)) return null
    const lines = text
      .split('\n')
      .map(line => line.trim())
      .filter(line => line !== '')
      .map(line => (line === '*' ? null : readLine(line, isXxd)))
    for (const radix of RADIXES) {
      const bytes = assemble(lines, radix)
      if (bytes !== null) return { is: 'bytes', bytes }
    }
    throw damaged('the hexdump', 'offsets that follow each other', 'a gap, or lines of another kind')
  },
}

function readLine(line: string, isXxd: boolean): Line {
  const end = line.length > MAX_LINE_LENGTH ? -1 : line.search(isXxd ? /:/ : /\s|$/)
  const offset = line.slice(0, Math.max(end, 0))
  const bytes = OFFSET.test(offset) ? octetsOf(line.slice(end + 1), isXxd) : null
  if (bytes !== null) return { offset, bytes }
  throw damaged('the hexdump', 'an offset and groups of digits in each line', 'another line')
}

/** What stands before the column of text: xxd has two spaces there, the others a bar or a bracket. */
function octetsOf(rest: string, isXxd: boolean): readonly number[] | null {
  const [column = ''] = isXxd ? rest.trimStart().split('  ', 1) : rest.split(/[|>]/, 1)
  const groups = column.split(/\s+/).filter(group => group !== '')
  const octets = groups.map(group => (GROUP.test(group) ? octetsOfGroup(group, isXxd) : null))
  return octets.includes(null) ? null : octets.flatMap(it => it ?? [])
}

/** With 3 and 6 digits a group is octal of 1 and 2 bytes, unless xxd printed it. */
function octetsOfGroup(group: string, isXxd: boolean): readonly number[] | null {
  if (isXxd)
    return group.length % 2 === 0 ? (group.match(/../g) ?? []).map(it => Number.parseInt(it, 16)) : null
  const isOctal = group.length === 3 || group.length === 6
  const width = { 2: 1, 3: 1, 4: 2, 6: 2, 8: 4 }[group.length]
  if (width === undefined || (isOctal && /[89a-f]/i.test(group))) return null
  const value = Number.parseInt(group, isOctal ? 8 : 16)
  if (value >= 256 ** width) return null
  return Array.from({ length: width }, (_, at) => Math.floor(value / 256 ** at) % 256)
}

/** Null where the offsets are not in this radix. The last line of hexdump and od is an offset alone: the size. */
function assemble(lines: readonly (Line | null)[], radix: (typeof RADIXES)[number]): Uint8Array | null {
  const end = lines.at(-1)
  const size = end ? (offsetOf(end.offset, radix) ?? Number.NaN) + end.bytes.length : Number.NaN
  if (!(size <= MAX_SLOW_TEXT)) return null
  const bytes = new Uint8Array(size)
  let at = 0
  let repeated: readonly number[] | null = null
  let last: readonly number[] = []
  for (const line of lines) {
    if (line === null) {
      repeated = last
      continue
    }
    const offset = offsetOf(line.offset, radix)
    if (offset === null || offset > size) return null
    if (repeated !== null && repeated.length > 0) at = repeat(bytes, repeated, { from: at, to: offset })
    repeated = null
    // A group that is not full is padded, and only the last offset says so.
    if (line === end && line.bytes.length === 0 && at > offset && at - offset < 4) at = offset
    if (offset !== at) return null
    // Padding of the last group lies behind the end.
    bytes.set(line.bytes.slice(0, size - at), at)
    at += line.bytes.length
    last = line.bytes
  }
  return bytes
}

function repeat(
  bytes: Uint8Array,
  octets: readonly number[],
  { from, to }: { readonly from: number; readonly to: number },
): number {
  let at = from
  for (; at + octets.length <= to; at += octets.length) bytes.set(octets, at)
  return at
}

function offsetOf(text: string, radix: (typeof RADIXES)[number]): number | null {
  const digits = { 8: /^[0-7]+$/, 10: /^\d+$/, 16: /^[0-9a-f]+$/i }[radix]
  return digits.test(text) ? Number.parseInt(text, radix) : null
}
