// A name against the list. Score of a name of the list: the share of its words' weight that the payment's name has, each
// word as far as it is alike, less for words that the payment's name has beyond; or how alike both are with all words
// joined. Every name that reaches the score to hold is found: the index leaves out only what cannot reach it.
import { config } from 'casemate'
import {
  bankOf,
  FULL_WEIGHT,
  JOINED_SIZE,
  joinedIndex,
  joinedNames,
  NAME,
  names,
  nameWords,
  postings,
  postingsOf,
  vocabulary,
  weightOf,
  wordIndex,
} from './list'
import { reserve } from './memory'
import { joined, joinedLength, takeApart, WORD, wordCount, words, WORDS } from './names'
import { found, foundCount } from './neighbours'
import { EXTRA_PARTS } from './screening-rules'
import { allowedIn, similarity } from './similarity'

const EXTRA = <u32>EXTRA_PARTS
const DEFAULT_PERCENT: u32 = 82
/** A hit from this score on; a setting, and so measured. */
export const PERCENT: u32 = percentOf(config('threshold'))

function percentOf(setting: string | null): u32 {
  const percent = setting === null ? DEFAULT_PERCENT : <u32>parseInt(setting)
  assert(percent >= 50 && percent <= 100, 'threshold: 50 to 100')
  return percent
}

/** The best hit so far; of equal ones the first. */
export class Hit {
  score: u8 = 0
  role: u8 = 0
  id: u32 = 0

  clear(): void {
    this.score = 0
  }

  offer(score: u32, role: u8, id: u32): void {
    if (score <= this.score) return
    this.score = <u8>score
    this.role = role
    this.id = id
  }
}

const MAX_NAMES: u32 = 65536
const MAX_VOCABULARY: u32 = 65536
/** By name, and by word of the list: in which search it came last. */
const seenNames: usize = reserve(MAX_NAMES * 4)
const seenWords: usize = reserve(MAX_VOCABULARY * 4)
/** By word of the list: its place among the matches of this search. */
const matchOf: usize = reserve(MAX_VOCABULARY * 2)
/** Match: how alike it is to each of the payment's words. */
const MATCH: usize = 16
const matches: usize = reserve(MAX_VOCABULARY * MATCH)
let matchCount: u32 = 0
const matchWords: usize = reserve(MAX_VOCABULARY * 4)
/** Weights of the payment's words. */
const weights: usize = reserve(WORDS * 4)
let search: u32 = 0
let bestScore: u32 = 0
let bestName: u32 = 0

/** `name` is UTF-8 that has been checked. */
export function screen(name: usize, length: u32, role: u8, hit: Hit): void {
  takeApart(name, length)
  if (wordCount == 0) return
  search++
  matchCount = 0
  bestScore = 0
  for (let index: u32 = 0; index < wordCount; index++) matchWord(index)
  for (let index: u32 = 0; index < matchCount; index++) {
    const word = load<u32>(matchWords + index * 4)
    const end = load<u32>(postingsOf + (word + 1) * 4)
    for (let at = load<u32>(postingsOf + word * 4); at < end; at++) scoreOnce(load<u32>(postings + at * 4))
  }
  matchJoined()
  if (bestScore >= PERCENT) hit.offer(bestScore, role, load<u32>(names + bestName * NAME))
}

/** Words come again and again: what was found for one, by a hash of it. Word, then how many, then id and likeness. */
const KNOWN_MOST: u32 = 24
const KNOWN: usize = 32 + KNOWN_MOST * 4
const KNOWN_BITS: u32 = 12
const known: usize = reserve(KNOWN << KNOWN_BITS)
const NOT_KNOWN: u32 = 0xff

function matchWord(index: u32): void {
  const word = words + index * WORD
  const first = load<u64>(word)
  const second = load<u64>(word, 8)
  const third = load<u64>(word, 16)
  const at = known + (<usize>(((first ^ (second * 31) ^ (third * 127)) * 0x9e3779b97f4a7c15) >> (64 - KNOWN_BITS))) * KNOWN
  if (load<u64>(at) != first || load<u64>(at, 8) != second || load<u64>(at, 16) != third) {
    store<u64>(at, first)
    store<u64>(at, second, 8)
    store<u64>(at, third, 16)
    findWord(word, at)
  }
  store<u32>(weights + index * 4, FULL_WEIGHT - 1)
  const count: u32 = load<u8>(at, 24)
  if (count == NOT_KNOWN) {
    findWord(word, 0)
    for (let match: u32 = 0; match < wideCount; match++) addMatch(index, load<u32>(wide + match * 4))
  } else for (let match: u32 = 0; match < count; match++) addMatch(index, load<u32>(at + match * 4, 32))
}

/** Id in the upper 25 bits, likeness in the lower 7. */
// @ts-ignore: decorator
@inline
function addMatch(index: u32, match: u32): void {
  const id = match >> 7
  const alike = match & 127
  if (alike == 100) store<u32>(weights + index * 4, weightOf(id))
  store<u8>(matchAt(id) + index, <u8>alike)
}

/** The matches of a word that has too many to be kept. */
const wide: usize = reserve(MAX_VOCABULARY * 4)
let wideCount: u32 = 0

/** All words of the list that are like it; kept `at` a place if that is not 0. */
function findWord(word: usize, at: usize): void {
  const length: u32 = load<u8>(word, 24)
  wordIndex.find(word, length, allowedIn(length))
  wideCount = 0
  for (let index: u32 = 0; index < foundCount; index++) {
    const id = load<u32>(found + index * 4)
    const other = vocabulary + id * WORD
    const otherLength: u32 = load<u8>(other, 24)
    const alike = similarity(word, length, other, otherLength, allowedIn(min(length, otherLength)))
    if (alike != 0) store<u32>(wide + wideCount++ * 4, (id << 7) | alike)
  }
  if (at == 0) return
  store<u8>(at, wideCount > KNOWN_MOST ? <u8>NOT_KNOWN : <u8>wideCount, 24)
  memory.copy(at + 32, wide, min(wideCount, KNOWN_MOST) * 4)
}

function matchAt(id: u32): usize {
  if (load<u32>(seenWords + id * 4) == search) return matches + <u32>load<u16>(matchOf + id * 2) * MATCH
  store<u32>(seenWords + id * 4, search)
  store<u16>(matchOf + id * 2, <u16>matchCount)
  store<u32>(matchWords + matchCount * 4, id)
  const at = matches + matchCount++ * MATCH
  v128.store(at, i64x2.splat(0))
  return at
}

function scoreOnce(name: u32): void {
  if (load<u32>(seenNames + name * 4) == search) return
  store<u32>(seenNames + name * 4, search)
  offerName(scoreOf(names + name * NAME), name)
}

function offerName(score: u32, name: u32): void {
  if (score < bestScore || (score == bestScore && name >= bestName)) return
  bestScore = score
  bestName = name
}

/** Each word of the list's name takes, in their order, the free word that is most like it. */
function scoreOf(name: usize): u32 {
  const first = nameWords + load<u32>(name, 4) * 4
  const count = load<u32>(name, 8)
  const weight = load<u32>(name, 12)
  let taken: u32 = 0
  let sum: u32 = 0
  for (let index: u32 = 0; index < count; index++) {
    const id = load<u32>(first + index * 4)
    if (load<u32>(seenWords + id * 4) != search) continue
    const match = matches + <u32>load<u16>(matchOf + id * 2) * MATCH
    let best: u32 = 0
    let place: u32 = 0
    for (let at: u32 = 0; at < wordCount; at++) {
      const alike: u32 = load<u8>(match + at)
      if (alike <= best || (taken & (1 << at)) != 0) continue
      best = alike
      place = at
    }
    if (best == 0) continue
    taken |= 1 << place
    sum += best * weightOf(id)
  }
  if (sum < PERCENT * weight) return 0
  let extra: u32 = 0
  for (let at: u32 = 0; at < wordCount; at++) if ((taken & (1 << at)) == 0) extra += load<u32>(weights + at * 4)
  return sum / (weight + extra / EXTRA)
}

/** All words as one: finds what was written together or apart. */
function matchJoined(): void {
  joinedIndex.find(joined, joinedLength, joinedLength < 8 ? 0 : 1)
  for (let at: u32 = 0; at < foundCount; at++) {
    const name = load<u32>(found + at * 4)
    const other = joinedNames + name * JOINED_SIZE
    const length = load<u32>(other, 64)
    const allowed: u32 = min(length, joinedLength) < 8 ? 0 : 1
    offerName(similarity(joined, joinedLength, other, length, allowed), name)
  }
}

/** A bank of the list by its BIC: a score of 100. */
export function isListedBank(bic: usize, role: u8, hit: Hit): void {
  const id = bankOf(load<u64>(bic))
  if (id != 0) hit.offer(100, role, id)
}
