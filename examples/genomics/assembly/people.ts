// The people of the cohort: the samples of the genotypes' header, and the consent code of each who gave one.
import { CONSENTS_MALFORMED, OK, VCF_SAMPLES } from './status'
import { contentEnd, find, hashBytes, keep, LINE_FEED, TAB } from './text'

/** Of a consent code, in bytes: nobody guesses one. */
export const CODE_SIZE: usize = 16

@unmanaged
class Person {
  name: usize
  nameEnd: usize
  hasCode: bool
  /** CODE_SIZE bytes follow. */
  code: u8
}
const PERSON_SIZE: usize = (offsetof<Person>('code') + CODE_SIZE + 7) & ~7

export let peopleCount: i32 = 0
export let consentCount: i32 = 0
/** An i32 for each person. */
export let missingCalls: usize = 0
let people: usize = 0
/** Index and 1 of a person at each slot, 0 if it is free; linear probing. */
let slots: usize = 0
let slotMask: u32 = 0

function personAt(index: i32): Person {
  return changetype<Person>(people + <usize>index * PERSON_SIZE)
}

/** Names with tabs between them, each once. */
export function addPeople(start: usize, end: usize): i32 {
  const names = keep(start, end)
  const namesEnd = names + (end - start)
  let count = 1
  for (let at = names; at < namesEnd; at++) if (load<u8>(at) == TAB) count++
  const size = <u32>1 << (32 - clz<u32>(<u32>count * 2 + 1))
  people = zeroed(<usize>count * PERSON_SIZE)
  missingCalls = zeroed(<usize>count * 4)
  slots = zeroed(<usize>size * 4)
  slotMask = size - 1
  let at = names
  for (let i = 0; i < count; i++) {
    const stop = find(at, namesEnd, TAB)
    const slot = slotOf(at, stop)
    if (at == stop || load<i32>(slot) != 0) return VCF_SAMPLES
    store<i32>(slot, i + 1)
    personAt(i).name = at
    personAt(i).nameEnd = stop
    at = stop + 1
  }
  peopleCount = count
  return OK
}

/** Index of a person; -1 for nobody. */
export function findPerson(start: usize, end: usize): i32 {
  return load<i32>(slotOf(start, end)) - 1
}

export function nameOf(index: i32): string {
  const person = personAt(index)
  return String.UTF8.decodeUnsafe(person.name, person.nameEnd - person.name)
}

/** Lines of a name, a tab and a code in hexadecimal. Whoever is not in the cohort is passed over. */
export function addConsents(start: usize, end: usize): i32 {
  for (let at = start; at < end; ) {
    const lineEnd = find(at, end, LINE_FEED)
    const stop = contentEnd(at, lineEnd)
    const tab = find(at, stop, TAB)
    if (tab == stop || stop - tab - 1 != CODE_SIZE * 2) return CONSENTS_MALFORMED
    const index = findPerson(at, tab)
    if (index >= 0) {
      const person = personAt(index)
      if (person.hasCode || !readHex(tab + 1, codeOf(person))) return CONSENTS_MALFORMED
      person.hasCode = true
      consentCount++
    }
    at = lineEnd + 1
  }
  return OK
}

/** Whether the code is the person's; takes the same time for every code. */
export function hasConsented(index: i32, code: usize): bool {
  const person = personAt(index)
  let difference: u8 = person.hasCode ? 0 : 1
  for (let i: usize = 0; i < CODE_SIZE; i++) difference |= load<u8>(codeOf(person) + i) ^ load<u8>(code + i)
  return difference == 0
}

function codeOf(person: Person): usize {
  return changetype<usize>(person) + offsetof<Person>('code')
}

/** The slot of the person of that name, or the free one where it would be; there always is one. */
function slotOf(start: usize, end: usize): usize {
  let slot = hashBytes(start, end) & slotMask
  while (!isFreeOrNamed(slot, start, end)) slot = (slot + 1) & slotMask
  return slots + (<usize>slot << 2)
}

function isFreeOrNamed(slot: u32, start: usize, end: usize): bool {
  const index = load<i32>(slots + (<usize>slot << 2)) - 1
  if (index < 0) return true
  const person = personAt(index)
  const length = person.nameEnd - person.name
  return length == end - start && memory.compare(person.name, start, length) == 0
}

function readHex(start: usize, into: usize): bool {
  for (let i: usize = 0; i < CODE_SIZE; i++) {
    const high = nibble(load<u8>(start + 2 * i))
    const low = nibble(load<u8>(start + 2 * i + 1))
    if ((high | low) > 15) return false
    store<u8>(into + i, (high << 4) | low)
  }
  return true
}

/** 255 where it is none. */
function nibble(byte: u8): u8 {
  if (byte >= 48 && byte <= 57) return byte - 48
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x61 + 10 : 255
}

function zeroed(size: usize): usize {
  const at = heap.alloc(size)
  memory.fill(at, 0, size)
  return at
}
