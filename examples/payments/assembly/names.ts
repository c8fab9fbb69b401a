// A name, taken apart into the words that it is compared by: letters of any script as Latin capitals, without what says
// nothing, each word written down by its sounds. The same for names of the list and of payments.
import { LATIN, LATIN_ADDITIONAL, SCRIPTS } from './letters'
import { reserve } from './memory'
import { MAX_JOINED, MAX_LETTERS, MAX_WORDS, SILENT_WORDS, SOUNDS } from './screening-rules'

const LETTERS = <u32>MAX_LETTERS
const JOINED = <u32>MAX_JOINED
export const WORDS = <u32>MAX_WORDS

/** Signs between words, and signs that are left out. */
const BREAK: u32 = 32
const NOTHING: u32 = 0
/** Of the code points below U+2000: up to four letters. */
const FOLDED: u32 = 0x2000
const folds: usize = reserve(FOLDED * 4)

/** A word: its letters, zero behind them; length at 24. */
export const WORD: usize = 32
export const words: usize = reserve(WORDS * WORD)
export let wordCount: u32 = 0
/** The words one after the other; zero behind them. */
export const joined: usize = reserve(96)
export let joinedLength: u32 = 0

/** Capitals and breaks: 560 bytes of UTF-8 can be four letters for every two. */
const folded: usize = reserve(4096)
let foldedLength: u32 = 0

/** Silent words as 64-bit words; those that are longer in `longSilent`. */
const SILENT_SLOTS: u32 = 1024
const silent: usize = reserve(SILENT_SLOTS * 16)

/** Sounds: letters, length, letters that they become, length; in the order of the rules, by first letter. */
const SOUND: usize = 12
const sounds: usize = reserve(64 * SOUND)
/** By first letter: first and end. */
const soundsOf: usize = reserve(26 * 2)

foldAscii()
foldList(LATIN, 0xc0)
foldList(LATIN_ADDITIONAL, 0x1e00)
foldScripts()
addSilent()
addSounds()

function foldAscii(): void {
  for (let point: u32 = 0; point < FOLDED; point++) {
    const isMark = (point >= 0x300 && point < 0x370) || (point >= 0x64b && point <= 0x652) || point == 0x640
    const isQuote = point == 0x27 || point == 0x2e || point == 0x60 || point == 0xb4 || (point >= 0x2b9 && point <= 0x2bc)
    let to = isMark || isQuote ? NOTHING : BREAK
    if ((point | 32) - 97 < 26 && point < 128) to = point & ~32
    if (point - 48 < 10) to = point
    store<u32>(folds + point * 4, to)
  }
}

function lettersOf(text: string): u32 {
  if (text == '-') return BREAK
  if (text == '~') return NOTHING
  let to: u32 = 0
  for (let at = 0; at < text.length; at++) to |= (<u32>text.charCodeAt(at)) << (at << 3)
  return to
}

function foldList(list: string, first: u32): void {
  const items = list.split(' ')
  for (let at = 0; at < items.length; at++) store<u32>(folds + (first + at) * 4, lettersOf(items[at]))
}

function foldScripts(): void {
  const items = SCRIPTS.split(' ')
  for (let at = 0; at < items.length; at++) {
    const sides = items[at].split('=')
    store<u32>(folds + (parseInt(sides[0], 16) as u32) * 4, lettersOf(sides[1]))
  }
}

// @ts-ignore: decorator
@inline
function slotOf(word: u64, more: u64): u32 {
  return <u32>(((word ^ (more * 31)) * 0x9e3779b97f4a7c15) >> 54)
}

/** Up to 16 letters, which is longer than any of them. */
function addSilent(): void {
  const list = SILENT_WORDS.split(' ')
  const letters = reserve(24)
  for (let index = 0; index < list.length; index++) {
    memory.fill(letters, 0, 24)
    for (let at = 0; at < list[index].length; at++) store<u8>(letters + at, <u8>list[index].charCodeAt(at))
    let slot = slotOf(load<u64>(letters), load<u64>(letters, 8))
    while (load<u64>(silent + slot * 16) != 0) slot = (slot + 1) & (SILENT_SLOTS - 1)
    store<u64>(silent + slot * 16, load<u64>(letters))
    store<u64>(silent + slot * 16, load<u64>(letters, 8), 8)
  }
}

function isSilent(pointer: usize, length: u32): bool {
  if (length > 16) return false
  const first = length >= 8 ? load<u64>(pointer) : load<u64>(pointer) & (((<u64>1) << (length << 3)) - 1)
  const rest = length > 8 ? length - 8 : 0
  const second = rest >= 8 ? load<u64>(pointer, 8) : load<u64>(pointer, 8) & (((<u64>1) << (rest << 3)) - 1)
  let slot = slotOf(first, second)
  let word = load<u64>(silent + slot * 16)
  while (word != 0 && (word != first || load<u64>(silent + slot * 16, 8) != second)) {
    slot = (slot + 1) & (SILENT_SLOTS - 1)
    word = load<u64>(silent + slot * 16)
  }
  return word != 0
}

function addSounds(): void {
  const rules = SOUNDS.split(' ')
  let count: u32 = 0
  for (let letter = 0; letter < 26; letter++) {
    store<u8>(soundsOf + letter * 2, <u8>count)
    for (let index = 0; index < rules.length; index++) {
      if (rules[index].charCodeAt(0) - 65 != letter) continue
      const sides = rules[index].split('>')
      const at = sounds + count++ * SOUND
      store<u32>(at, lettersOf(sides[0]))
      store<u32>(at, lettersOf(sides[1]), 4)
      store<u8>(at, <u8>sides[0].length, 8)
      store<u8>(at, <u8>sides[1].length, 9)
    }
    store<u8>(soundsOf + letter * 2 + 1, <u8>count)
  }
}

/** Fills `words` and `joined` from UTF-8 that has been checked. */
export function takeApart(pointer: usize, length: u32): void {
  fold(pointer, length)
  wordCount = 0
  splitWords(false)
  if (wordCount == 0) splitWords(true)
  join()
}

function fold(pointer: usize, length: u32): void {
  foldedLength = 0
  const end = pointer + length
  while (pointer < end) {
    let point: u32 = load<u8>(pointer++)
    if (point >= 0x80) {
      if (point < 0xe0) point = ((point & 0x1f) << 6) | next(pointer++)
      else if (point < 0xf0) {
        point = ((point & 0x0f) << 12) | (next(pointer) << 6) | next(pointer + 1)
        pointer += 2
      } else {
        point = FOLDED
        pointer += 3
      }
    }
    if (point >= FOLDED) {
      // Quotation marks that stand for an apostrophe.
      if (point == 0x2018 || point == 0x2019) continue
      point = 32
    }
    let to = load<u32>(folds + point * 4)
    for (; to != 0; to >>= 8) store<u8>(folded + foldedLength++, <u8>to)
  }
}

// @ts-ignore: decorator
@inline
function next(pointer: usize): u32 {
  return load<u8>(pointer) & 0x3f
}

function splitWords(withSilent: bool): void {
  let at: u32 = 0
  while (at < foldedLength) {
    while (at < foldedLength && load<u8>(folded + at) == BREAK) at++
    const first = at
    while (at < foldedLength && load<u8>(folded + at) != BREAK) at++
    if (at == first || (!withSilent && isSilent(folded + first, at - first))) continue
    if (wordCount == WORDS) return
    addWord(first, at)
  }
}

/** Sounds for spellings, a letter that is doubled once, no H behind a vowel at the end. */
function addWord(at: u32, end: u32): void {
  const word = words + wordCount * WORD
  memory.fill(word, 0, WORD)
  let length: u32 = 0
  let last: u32 = 0
  while (at < end) {
    let letters: u32 = load<u8>(folded + at)
    let size: u32 = 1
    let taken: u32 = 1
    if (letters >= 65) {
      const four = load<u32>(folded + at)
      const rules = soundsOf + (letters - 65) * 2
      for (let rule: u32 = load<u8>(rules), rulesEnd: u32 = load<u8>(rules, 1); rule < rulesEnd; rule++) {
        const sound = sounds + rule * SOUND
        const long: u32 = load<u8>(sound, 8)
        const mask = long == 4 ? 0xffffffff : ((<u32>1) << (long << 3)) - 1
        if (at + long > end || ((four ^ load<u32>(sound)) & mask) != 0) continue
        letters = load<u32>(sound, 4)
        size = load<u8>(sound, 9)
        taken = long
        break
      }
    }
    at += taken
    for (; size > 0; size--) {
      const letter = letters & 0xff
      letters >>= 8
      if (letter == last || length == LETTERS) continue
      store<u8>(word + length++, <u8>letter)
      last = letter
    }
  }
  if (length > 2 && last == 72 && isVowel(load<u8>(word + length - 2))) store<u8>(word + --length, 0)
  store<u8>(word, <u8>length, 24)
  wordCount++
}

function isVowel(letter: u32): bool {
  return letter == 65 || letter == 73 || letter == 85
}

function join(): void {
  memory.fill(joined, 0, 96)
  joinedLength = 0
  for (let index: u32 = 0; index < wordCount; index++) {
    const word = words + index * WORD
    const length: u32 = min(<u32>load<u8>(word, 24), JOINED - joinedLength)
    memory.copy(joined + joinedLength, word, length)
    joinedLength += length
  }
}
