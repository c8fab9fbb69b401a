// Names taken apart as the enclave does it, written anew: Unicode's own decomposition instead of a table, regular
// expressions instead of bytes.
import { SCRIPTS } from '../../assembly/letters.ts'
import { MAX_JOINED, MAX_LETTERS, MAX_WORDS, SILENT_WORDS, SOUNDS } from '../../assembly/screening-rules.ts'

const SCRIPT_LETTERS = new Map(
  SCRIPTS.split(' ').map(item => {
    const [point = '', letters = ''] = item.split('=')
    return [String.fromCodePoint(Number.parseInt(point, 16)), letters === '~' ? '' : letters] as const
  }),
)
/** Letters with marks that Unicode does not take apart. */
const LATIN: Readonly<Record<string, string>> = {
  Æ: 'AE',
  Ø: 'O',
  ß: 'SS',
  Þ: 'TH',
  Ð: 'D',
  Đ: 'D',
  Ħ: 'H',
  ı: 'I',
  Ĳ: 'IJ',
  Ŀ: 'L',
  Ł: 'L',
  ŉ: 'N',
  Ŋ: 'N',
  Œ: 'OE',
  Ŧ: 'T',
  ſ: 'S',
  Ƒ: 'F',
  Ə: 'A',
  ĸ: 'K',
  Ǆ: 'DZ',
  ǅ: 'DZ',
  Ǉ: 'LJ',
  ǈ: 'LJ',
  Ǌ: 'NJ',
  ǋ: 'NJ',
  Ǳ: 'DZ',
  ǲ: 'DZ',
}
const SILENT = new Set(SILENT_WORDS.split(' '))
const SOUND_RULES = SOUNDS.split(' ').map(rule => rule.split('>') as [string, string])

export interface Name {
  readonly words: readonly string[]
  readonly joined: string
}

export function takeApart(name: string): Name {
  const words = Array.from(name, foldLetter)
    .join('')
    .split(' ')
    .filter(word => word !== '')
  const speaking = words.filter(word => !SILENT.has(word))
  const kept = (speaking.length > 0 ? speaking : words).slice(0, MAX_WORDS).map(sound)
  return { words: kept, joined: kept.join('').slice(0, MAX_JOINED) }
}

function foldLetter(letter: string): string {
  const point = letter.codePointAt(0) ?? 0
  if (/[A-Za-z0-9]/.test(letter)) return letter.toUpperCase()
  if (/['.`´‘’\u02b9-\u02bc\u0640]/.test(letter)) return ''
  const script = SCRIPT_LETTERS.get(letter)
  if (script !== undefined) return script
  if ((point >= 0x300 && point < 0x370) || (point >= 0x64b && point <= 0x652)) return ''
  const isLatin = (point >= 0xc0 && point <= 0x24f) || (point >= 0x1e00 && point <= 0x1eff)
  return isLatin ? foldLatin(letter) : ' '
}

function foldLatin(letter: string): string {
  const upper = LATIN[letter] ?? LATIN[letter.toUpperCase()]
  if (upper !== undefined) return upper
  const bare = letter.normalize('NFD').replaceAll(/\p{M}/gu, '').toUpperCase()
  if (/^[A-Z]+$/.test(bare)) return bare
  return LATIN[bare] ?? ' '
}

function sound(word: string): string {
  let out = ''
  let rest = word
  while (rest !== '') {
    const [from, to] = SOUND_RULES.find(([from]) => rest.startsWith(from)) ?? [rest.charAt(0), rest.charAt(0)]
    for (const letter of to) if (!out.endsWith(letter) && out.length < MAX_LETTERS) out += letter
    rest = rest.slice(from.length)
  }
  return out.length > 2 ? out.replace(/([AIU])H$/, '$1') : out
}
