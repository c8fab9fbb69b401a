// Names of the list as somebody else writes them: the labelled set that recall is measured on. The rules are those of
// romanisations and slips of the pen, not those that the enclave undoes; some of them it does not undo.
import { CAPITALS, type Random } from './random.ts'

/** Null if the name offers nothing to change. */
export type Perturbation = (name: string, random: Random) => string | null

/** Spellings that one language's table has for another's. */
const ROMANISATIONS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/MUHAMMAD|MOHAMMED|MOHAMMAD|MOHAMED/, ['MUHAMMAD', 'MOHAMMED', 'MOHAMAD', 'MUHAMED', 'MOHAMMAD']],
  [/AHMAD|AHMED/, ['AHMAD', 'AHMED', 'AHMET']],
  [/HUSAYN|HUSSEIN|HUSSAIN|HOSSEIN/, ['HUSAYN', 'HUSSEIN', 'HUSAIN', 'HOSEIN']],
  [/YUSUF|YOUSEF|YOUSSEF/, ['YUSUF', 'YOUSEF', 'YOUSSEF', 'YOUSUF']],
  [/ABD AL-|ABDUL |ABDAL/, ['ABD AL-', 'ABDUL ', 'ABDEL ', 'ABDUL-']],
  [/OU/, ['U', 'OO', 'W']],
  [/U(?=[^AEIOU])/, ['OU', 'OO']],
  [/OO/, ['U', 'OU']],
  [/EE|II/, ['I', 'EE']],
  [/KH/, ['CH', 'H', 'X', 'KH']],
  [/SH(?=[AEIOU])/, ['CH', 'SCH', 'SH']],
  [/ZH/, ['J', 'SCH']],
  [/DJ|J(?=[AEIOU])/, ['DJ', 'J', 'G']],
  [/Q/, ['K', 'G', 'GH']],
  [/GH/, ['G', 'R']],
  [/TH/, ['T', 'S']],
  [/DH/, ['D', 'Z']],
  [/OV\b/, ['OFF', 'OW']],
  [/EV\b/, ['EFF', 'YEV']],
  [/SKIY\b|SKY\b|SKII\b/, ['SKI', 'SKY', 'SKYJ']],
  [/IYA\b|IA\b/, ['IA', 'IYA', 'YA']],
  [/TS/, ['Z', 'C']],
  [/Y(?=[AEIOU])/, ['I', 'J']],
  [/W/, ['V', 'U']],
  [/V/, ['W']],
  [/PH/, ['F']],
  [/F/, ['PH']],
  [/C(?=[AOU])/, ['K']],
  [/K/, ['C', 'CK']],
  [/([BDFLMNRST])\1/, ['$1']],
  [/\bAL[- ]/, ['', 'EL-', 'AL ']],
]

const CYRILLIC: readonly (readonly [string, string])[] = [
  ['SHCH', 'Щ'],
  ['ZH', 'Ж'],
  ['KH', 'Х'],
  ['TS', 'Ц'],
  ['CH', 'Ч'],
  ['SH', 'Ш'],
  ['YU', 'Ю'],
  ['YA', 'Я'],
  ['YE', 'Е'],
  ['A', 'А'],
  ['B', 'Б'],
  ['V', 'В'],
  ['G', 'Г'],
  ['D', 'Д'],
  ['E', 'Е'],
  ['Z', 'З'],
  ['I', 'И'],
  ['Y', 'Й'],
  ['K', 'К'],
  ['L', 'Л'],
  ['M', 'М'],
  ['N', 'Н'],
  ['O', 'О'],
  ['P', 'П'],
  ['R', 'Р'],
  ['S', 'С'],
  ['T', 'Т'],
  ['U', 'У'],
  ['F', 'Ф'],
  ['H', 'Х'],
  ['C', 'К'],
  ['Q', 'К'],
  ['W', 'В'],
  ['X', 'КС'],
  ['J', 'ДЖ'],
]
const MARKS: Readonly<Record<string, string>> = {
  A: 'ÁÀÄÂĀ',
  E: 'ÉÈËĒ',
  I: 'ÍÏĪ',
  O: 'ÓÖŌ',
  U: 'ÚÜŪ',
  C: 'Ç',
  S: 'Ş',
  N: 'Ñ',
  Z: 'Ž',
}
const FORMS = /\b(LTD|LLC|CO|INC|LIMITED|COMPANY|CORPORATION|GMBH|SARL|OOO|FZE|LTDA|JSC|S\.A\.)\b/

export const PERTURBATIONS: Readonly<Record<string, Perturbation>> = {
  'as it stands in the list': name => name,
  'words in another order': (name, random) => shuffled(name, random),
  'small letters, marks, other punctuation': (name, random) =>
    marked(name, random)
      .toLowerCase()
      .replaceAll(/[-,.]+ ?/g, ' '),
  'another form of company, or none': (name, random) =>
    FORMS.test(name) ? name.replace(FORMS, random.pick(['', 'LLC', 'Ltd.', 'GmbH'])) : null,
  'one slip of the pen': slip,
  'two slips, in two words': (name, random) => twoSlips(name, random),
  'one other romanisation': (name, random) => romanised(name, random, 1),
  'two other romanisations': (name, random) => romanised(name, random, 2),
  'in Cyrillic letters': name => cyrillic(name),
  'two words written together': (name, random) => together(name, random),
  'with a word more': (name, random) =>
    `${name} ${random.pick(['TRADING', 'GROUP', 'HASSAN', 'INTERNATIONAL', 'MARIA'])}`,
  'without one of three or more words': (name, random) => shortened(name, random),
}

function wordsOf(name: string): string[] {
  return name.split(/[ ,]+/).filter(word => word !== '')
}

function shuffled(name: string, random: Random): string | null {
  const words = wordsOf(name)
  if (words.length < 2) return null
  const from = 1 + random.below(words.length - 1)
  return [...words.slice(from), ...words.slice(0, from)].join(' ')
}

function marked(name: string, random: Random): string {
  return Array.from(name, letter => {
    const marks = MARKS[letter.toUpperCase()]
    return marks !== undefined && random.chance(0.2) ? random.pick(Array.from(marks)) : letter
  }).join('')
}

/** In a word of at least four letters. */
function slip(name: string, random: Random): string | null {
  const long = [...name.matchAll(/[A-Za-z]{4,}/g)]
  if (long.length === 0) return null
  const { 0: word, index } = random.pick(long)
  return name.slice(0, index) + slipped(word, random) + name.slice(index + word.length)
}

function slipped(word: string, random: Random): string {
  const at = random.below(word.length - 1)
  const letter = random.text(1, CAPITALS)
  switch (random.below(4)) {
    case 0:
      return word.slice(0, at) + word.slice(at + 1)
    case 1:
      return word.slice(0, at) + letter + word.slice(at)
    case 2:
      return word.slice(0, at) + letter + word.slice(at + 1)
    default:
      return word.slice(0, at) + word.charAt(at + 1) + word.charAt(at) + word.slice(at + 2)
  }
}

function twoSlips(name: string, random: Random): string | null {
  const words = wordsOf(name)
  const long = [...words.keys()].filter(at => /^[A-Za-z]{5,}$/.test(words[at] ?? ''))
  if (long.length < 2) return null
  const first = random.below(long.length)
  for (const at of [long[first], long[(first + 1) % long.length]]) {
    if (at !== undefined) words[at] = slipped(words[at] ?? '', random)
  }
  return words.join(' ')
}

function romanised(name: string, random: Random, times: number): string | null {
  let changed = name.toUpperCase()
  for (let time = 0; time < times; time++) {
    const before = changed
    const fitting = ROMANISATIONS.filter(([spelling]) => spelling.test(before))
    if (fitting.length === 0) return null
    const [spelling, others] = random.pick(fitting)
    changed = before.replace(spelling, random.pick(others))
    if (changed === before) return null
  }
  return changed
}

function cyrillic(name: string): string | null {
  if (/\d/.test(name)) return null
  let rest = name.toUpperCase()
  let out = ''
  while (rest !== '') {
    const [from, to] = CYRILLIC.find(([latin]) => rest.startsWith(latin)) ?? [rest.charAt(0), rest.charAt(0)]
    out += to
    rest = rest.slice(from.length)
  }
  return out
}

function together(name: string, random: Random): string | null {
  const words = wordsOf(name)
  if (words.length < 2) return null
  const at = random.below(words.length - 1)
  return [...words.slice(0, at), `${words[at]}${words[at + 1]}`, ...words.slice(at + 2)].join(' ')
}

function shortened(name: string, random: Random): string | null {
  const words = wordsOf(name)
  if (words.length < 3) return null
  const at = random.below(words.length)
  return words.filter((_, index) => index !== at).join(' ')
}
