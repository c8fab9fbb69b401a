// The sanctions list: OFAC's two files (names; aliases) as they are published, read into words with weights, and the
// index over them. Ships and aircraft are no parties to a payment and are left out, with their aliases.
import { reserve } from './memory'
import { joined, joinedLength, takeApart, WORD, wordCount, words } from './names'
import { Neighbours } from './neighbours'
import { allowedIn } from './similarity'

const MAX_NAMES: u32 = 65536
const MAX_VOCABULARY: u32 = 65536
const MAX_ALL_WORDS: u32 = 524288
const MAX_BANKS: u32 = 4096
/** Of a word that the list does not have, and the most that one has. */
export const FULL_WEIGHT: u32 = 16

/** Name: id, first word in `nameWords`, words, weight of all; u32 each. */
export const NAME: usize = 16
export const names: usize = reserve(MAX_NAMES * NAME)
export let nameCount: u32 = 0
export const nameWords: usize = reserve(MAX_ALL_WORDS * 4)
let nameWordCount: u32 = 0
/** The joined words of each name: 64 letters, and the length. */
export const JOINED_SIZE: usize = 72
export const joinedNames: usize = reserve(MAX_NAMES * JOINED_SIZE)

/** Words, each once: as in names.ts, with how many names have it at 28. */
export const vocabulary: usize = reserve(MAX_VOCABULARY * WORD)
let vocabularyCount: u32 = 0
const WORD_SLOTS: u32 = 262144
const wordSlots: usize = reserve(WORD_SLOTS * 4)

/** By word: where the names begin that it is enough to find by this word; one more at the end. */
export const postingsOf: usize = reserve((MAX_VOCABULARY + 1) * 4)
export const postings: usize = reserve(MAX_ALL_WORDS * 4)

export const wordIndex = new Neighbours(20)
export const joinedIndex = new Neighbours(20)

/** Banks by the first eight characters of their BIC, and their ids. */
const banks: usize = reserve(MAX_BANKS * 16)
/** Ids that are left out. */
const ID_SLOTS: u32 = 8192
const leftOut: usize = reserve(ID_SLOTS * 4)

export let isLoaded: bool = false

/** `percent`: the score from which a name is a hit. */
export function loadList(pointer: usize, length: u32, percent: u32): void {
  const first = load<u32>(pointer)
  assert(first <= length - 4, 'the list is cut off')
  readRows(pointer + 4, pointer + 4 + first, false)
  readRows(pointer + 4 + first, pointer + length, true)
  assert(nameCount > 0, 'the list has no names')
  weigh()
  index(percent)
  isLoaded = true
}

/** Fields of one row: pointer and length. */
const FIELDS: u32 = 16
const fields: usize = reserve(FIELDS * 8)
const unquoted: usize = reserve(4096)

function readRows(at: usize, end: usize, areAliases: bool): void {
  while (at < end) {
    let count: u32 = 0
    let next = at
    while (next < end && load<u8>(next) != 10) {
      const field = next
      let isQuoted = false
      for (; next < end; next++) {
        const byte: u32 = load<u8>(next)
        if (byte == 34) isQuoted = !isQuoted
        else if (!isQuoted && (byte == 44 || byte == 10)) break
      }
      if (count < FIELDS) {
        store<u32>(fields + count * 8, <u32>field)
        store<u32>(fields + count * 8, <u32>(next - field), 4)
      }
      count++
      if (next < end && load<u8>(next) == 44) next++
    }
    if (load<u8>(at) - 48 < 10) {
      if (areAliases) {
        if (count >= 4) addAlias()
      } else if (count >= 12) addParty()
    }
    at = next + 1
  }
}

function numberOf(field: u32): u32 {
  let value: u32 = 0
  const at: usize = load<u32>(fields + field * 8)
  for (let index: u32 = 0; load<u8>(at + index) - 48 < 10; index++) value = value * 10 + load<u8>(at + index) - 48
  return value
}

function addParty(): void {
  const id = numberOf(0)
  addBanks(id)
  const type = load<u32>(load<u32>(fields + 16) + 1)
  // "vess", "airc"
  if (type == 0x73736576 || type == 0x63726961) {
    let slot = id & (ID_SLOTS - 1)
    while (load<u32>(leftOut + slot * 4) != 0) slot = (slot + 1) & (ID_SLOTS - 1)
    store<u32>(leftOut + slot * 4, id)
    return
  }
  addName(id, 1)
}

function addAlias(): void {
  const id = numberOf(0)
  for (let slot = id & (ID_SLOTS - 1); load<u32>(leftOut + slot * 4) != 0; slot = (slot + 1) & (ID_SLOTS - 1)) {
    if (load<u32>(leftOut + slot * 4) == id) return
  }
  addName(id, 3)
}

function addName(id: u32, field: u32): void {
  assert(nameCount < MAX_NAMES, 'the list has too many names')
  const length = unquote(field)
  takeApart(unquoted, length)
  if (wordCount == 0) return
  const at = names + nameCount * NAME
  store<u32>(at, id)
  store<u32>(at, nameWordCount, 4)
  store<u32>(at, wordCount, 8)
  for (let index: u32 = 0; index < wordCount; index++) {
    assert(nameWordCount < MAX_ALL_WORDS, 'the list has too many words')
    store<u32>(nameWords + nameWordCount++ * 4, wordOf(words + index * WORD))
  }
  countWords(at)
  memory.copy(joinedNames + nameCount * JOINED_SIZE, joined, 64)
  store<u32>(joinedNames + nameCount * JOINED_SIZE, joinedLength, 64)
  nameCount++
}

/** Without the quotes around it; two quotes are one. */
function unquote(field: u32): u32 {
  const at: usize = load<u32>(fields + field * 8)
  const length = load<u32>(fields + field * 8, 4)
  let size: u32 = 0
  for (let index: u32 = 0; index < length && size < 2048; index++) {
    const byte = load<u8>(at + index)
    if (byte == 34 && (index == 0 || index == length - 1 || load<u8>(at + index + 1) != 34)) continue
    store<u8>(unquoted + size++, byte)
  }
  return size
}

/** Its number in the vocabulary, where it is put if it is not there. */
function wordOf(word: usize): u32 {
  const first = load<u64>(word)
  const second = load<u64>(word, 8)
  const third = load<u64>(word, 16)
  let slot = <u32>(((first ^ (second * 31) ^ (third * 127)) * 0x9e3779b97f4a7c15) >> 46)
  for (; load<u32>(wordSlots + slot * 4) != 0; slot = (slot + 1) & (WORD_SLOTS - 1)) {
    const id = load<u32>(wordSlots + slot * 4) - 1
    const at = vocabulary + id * WORD
    if (load<u64>(at) == first && load<u64>(at, 8) == second && load<u64>(at, 16) == third) return id
  }
  assert(vocabularyCount < MAX_VOCABULARY, 'the list has too many different words')
  memory.copy(vocabulary + vocabularyCount * WORD, word, 25)
  store<u32>(wordSlots + slot * 4, ++vocabularyCount)
  return vocabularyCount - 1
}

/** A word counts once for a name, however often it has it. */
function countWords(name: usize): void {
  const first = nameWords + load<u32>(name, 4) * 4
  const count = load<u32>(name, 8)
  for (let index: u32 = 0; index < count; index++) {
    const id = load<u32>(first + index * 4)
    let isFirst = true
    for (let other: u32 = 0; other < index; other++) if (load<u32>(first + other * 4) == id) isFirst = false
    if (isFirst) store<u32>(vocabulary + id * WORD, load<u32>(vocabulary + id * WORD, 28) + 1, 28)
  }
}

/** 16 less the bits of the number of names that have it, at least 1. */
// @ts-ignore: decorator
@inline
export function weightOf(word: u32): u32 {
  const bits: u32 = 32 - clz(load<u32>(vocabulary + word * WORD, 28))
  return bits < FULL_WEIGHT ? FULL_WEIGHT - bits : 1
}

function weigh(): void {
  for (let name: u32 = 0; name < nameCount; name++) {
    const at = names + name * NAME
    let weight: u32 = 0
    for (let index: u32 = 0; index < load<u32>(at, 8); index++) {
      weight += weightOf(load<u32>(nameWords + (load<u32>(at, 4) + index) * 4))
    }
    store<u32>(at, weight, 12)
  }
}

const WORDS_OF_NAME: usize = 16
const isKey: usize = reserve(WORDS_OF_NAME)

/** The heaviest words of a name, so many that without any of them it cannot reach the score. */
function markKeys(name: usize, percent: u32): void {
  const first = nameWords + load<u32>(name, 4) * 4
  const count = load<u32>(name, 8)
  const weight = load<u32>(name, 12)
  memory.fill(isKey, 0, WORDS_OF_NAME)
  let rest = weight
  while (rest * 100 >= percent * weight && rest > 0) {
    let heaviest: u32 = 0
    let most: u32 = 0
    for (let index: u32 = 0; index < count; index++) {
      const own = weightOf(load<u32>(first + index * 4))
      if (load<u8>(isKey + index) != 0 || own <= most) continue
      most = own
      heaviest = index
    }
    store<u8>(isKey + heaviest, 1)
    rest -= most
  }
}

function index(percent: u32): void {
  for (let id: u32 = 0; id < vocabularyCount; id++) {
    const word = vocabulary + id * WORD
    const length: u32 = load<u8>(word, 24)
    wordIndex.add(word, length, allowedIn(length), id)
  }
  // How many names each word has, then where they begin, then the names.
  for (let pass = 0; pass < 2; pass++) {
    for (let name: u32 = 0; name < nameCount; name++) {
      const at = names + name * NAME
      markKeys(at, percent)
      for (let index: u32 = 0; index < load<u32>(at, 8); index++) {
        if (load<u8>(isKey + index) == 0) continue
        const place = postingsOf + load<u32>(nameWords + (load<u32>(at, 4) + index) * 4) * 4
        const value = load<u32>(place)
        if (pass == 1) store<u32>(postings + (value - 1) * 4, name)
        store<u32>(place, pass == 0 ? value + 1 : value - 1)
      }
    }
    if (pass == 1) break
    let total: u32 = 0
    for (let id: u32 = 0; id <= vocabularyCount; id++) {
      total += load<u32>(postingsOf + id * 4)
      store<u32>(postingsOf + id * 4, total)
    }
  }
  for (let name: u32 = 0; name < nameCount; name++) {
    const at = joinedNames + name * JOINED_SIZE
    const length = load<u32>(at, 64)
    joinedIndex.add(at, length, length < 8 ? 0 : 1, name)
  }
}

/** `SWIFT/BIC XXXXXXXX` in the remarks. */
function addBanks(id: u32): void {
  const at: usize = load<u32>(fields + 88)
  const length = load<u32>(fields + 88, 4)
  for (let index: u32 = 0; index + 18 <= length; index++) {
    // "SWIF", "/BIC"
    if (load<u32>(at + index) != 0x46495753 || load<u32>(at + index + 5) != 0x4349422f) continue
    addBank(load<u64>(at + index + 10), id)
  }
}

function bankSlot(bic: u64): u32 {
  let slot = <u32>((bic * 0x9e3779b97f4a7c15) >> 52)
  while (load<u64>(banks + slot * 16) != 0 && load<u64>(banks + slot * 16) != bic) slot = (slot + 1) & (MAX_BANKS - 1)
  return slot
}

function addBank(bic: u64, id: u32): void {
  const slot = bankSlot(bic)
  if (load<u64>(banks + slot * 16) != 0) return
  store<u64>(banks + slot * 16, bic)
  store<u32>(banks + slot * 16, id, 8)
}

/** The id of the bank whose BIC begins so; 0 if none is listed. */
export function bankOf(bic: u64): u32 {
  return load<u32>(banks + bankSlot(bic) * 16, 8)
}
