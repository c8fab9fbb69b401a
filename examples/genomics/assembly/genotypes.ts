// The genotypes of one record as factors of a weight: how often the effect allele counts, for each person.
// Four plain genotypes ("0|1" and a tab) are read at once; whatever looks different is read field by field.
import { DOMINANT, RECESSIVE } from './score-file'
import { OK, VCF_MALFORMED, VCF_TRUNCATED } from './status'
import { TAB } from './text'

/** "0|0" and a tab, four times. */
const PLAIN = i8x16(48, 124, 48, 9, 48, 124, 48, 9, 48, 124, 48, 9, 48, 124, 48, 9)
const SLASH: u8 = 0x2f
const BAR: u8 = 0x7c
const DOT: u8 = 0x2e
const COLON: u8 = 0x3a

/** Purposes for which a record is read. */
@unmanaged
export class Reading {
  /** Index of the effect allele: 0 is REF. */
  effect: i32
  /** The greatest index that the record has an allele for. */
  lastAllele: i32
  /** ADDITIVE, DOMINANT or RECESSIVE. */
  type: u8
  people: i32
  /** One byte for each person. */
  factors: usize
  /** How many calls each person lacks, an i32 each. */
  missing: usize
}

/** Where a field ended, and its factor; one reader, one thread. */
let fieldEnd: usize = 0
let factor: u8 = 0
let isMissing: bool = false

/** The fields from `start` to `end`, one for each person. */
export function readGenotypes(start: usize, end: usize, reading: Reading): i32 {
  const effect = reading.effect
  const people = reading.people
  const highest = <u8>min(reading.lastAllele, 9)
  const limits = v128.splat<u32>(<u32>highest | (<u32>highest << 16))
  const wanted = i8x16.splat(<u8>effect)
  // Beyond allele 9 an index has two digits.
  const isPlain = effect <= 9
  let at = start
  let person = 0
  while (person < people) {
    if (isPlain && person + 4 < people && at + 16 < end) {
      const bytes = v128.load(at)
      const unphased = i8x16.eq(bytes, i8x16.splat(SLASH))
      const alleles = v128.xor(v128.bitselect(i8x16.splat(BAR), bytes, unphased), PLAIN)
      if (i8x16.all_true(i8x16.le_u(alleles, limits))) {
        storeFour(reading.factors + person, i8x16.eq(alleles, wanted), reading.type)
        person += 4
        at += 16
        continue
      }
    }
    if (at > end || (at == end && person > 0)) return VCF_TRUNCATED
    if (!readGenotype(at, end, reading)) return VCF_MALFORMED
    store<u8>(reading.factors + person, factor)
    if (isMissing) {
      const counter = reading.missing + (<usize>person << 2)
      store<i32>(counter, load<i32>(counter) + 1)
    }
    at = fieldEnd + 1
    person++
  }
  // One past the end: the last field ended with the line.
  return at == end + 1 ? OK : VCF_TRUNCATED
}

/** Factors of four people whose hits are in bytes 0 and 2 of each four. */
function storeFour(factors: usize, hits: v128, type: u8): void {
  const first = v128.and(hits, i32x4.splat(1))
  const second = v128.and(i32x4.shr_u(hits, 16), i32x4.splat(1))
  const four =
    type == DOMINANT
      ? v128.or(first, second)
      : type == RECESSIVE
        ? v128.and(first, second)
        : i32x4.add(first, second)
  const packed = i8x16.shuffle(four, four, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12)
  store<u32>(factors, <u32>i32x4.extract_lane(packed, 0))
}

/** GT of one field: one allele or two. A call of which a part is missing is missing. */
function readGenotype(start: usize, end: usize, reading: Reading): bool {
  let at = start
  let called = 0
  let copies = 0
  let ploidy = 0
  for (;;) {
    if (++ploidy > 2) return false
    if (at < end && load<u8>(at) == DOT) {
      at++
    } else {
      let allele = 0
      const first = at
      while (at < end && load<u8>(at) - 48 <= 9) {
        allele = allele * 10 + (load<u8>(at++) - 48)
        if (allele > reading.lastAllele) return false
      }
      if (at == first) return false
      called++
      if (allele == reading.effect) copies++
    }
    if (at == end || (load<u8>(at) != BAR && load<u8>(at) != SLASH)) break
    at++
  }
  if (at < end && load<u8>(at) == COLON) while (at < end && load<u8>(at) != TAB) at++
  if (at < end && load<u8>(at) != TAB) return false
  fieldEnd = at
  isMissing = called < ploidy
  factor = isMissing ? 0 : factorOf(reading.type, copies, ploidy)
  return true
}

function factorOf(type: u8, copies: i32, ploidy: i32): u8 {
  if (type == DOMINANT) return copies > 0 ? 1 : 0
  if (type == RECESSIVE) return copies == ploidy ? 1 : 0
  return <u8>copies
}
