// Genotypes in the Variant Call Format (VCF 4.x), part by part, each part whole lines. A record that no weight asks for
// is only stepped over. A weight takes the first record at its place that has both its alleles: effect and other, the one
// REF and the other among ALT. Alleles are compared as they stand: the complement of a strand is another allele.
import { Reading, readGenotypes } from './genotypes'
import { addPeople, missingCalls, peopleCount } from './people'
import { Row, rowsNear } from './score-file'
import { OK, VCF_HEADER, VCF_MALFORMED, VCF_NO_GENOTYPES, VCF_SAMPLES, VCF_TRUNCATED } from './status'
import {
  contentEnd,
  find,
  isPrefix,
  isSame,
  isText,
  LINE_FEED,
  parseChromosome,
  parseCount,
  TAB,
  upper,
} from './text'

const COLUMN_NAMES: StaticArray<string> = [
  '#CHROM',
  'POS',
  'ID',
  'REF',
  'ALT',
  'QUAL',
  'FILTER',
  'INFO',
  'FORMAT',
]
const FIXED: i32 = 9
const CHROM: i32 = 0
const POS: i32 = 1
const REF: i32 = 3
const ALT: i32 = 4
const FORMAT: i32 = 8

/** Whether weights of A/T and C/G are left out: on the other strand they look the same. */
let dropsAmbiguous: bool = true
export let recordCount: i32 = 0
export let ambiguousCount: i32 = 0

/** Starts of a record's fixed fields and of its first sample. */
const fields = new StaticArray<usize>(FIXED + 1)

const reading: Reading = changetype<Reading>(memory.data(64))

export function configureMatching(shallDrop: bool): void {
  dropsAmbiguous = shallDrop
}

/** Whole lines. */
export function loadRecords(start: usize, end: usize): i32 {
  for (let at = start; at < end; ) {
    const lineEnd = find(at, end, LINE_FEED)
    if (lineEnd == end) return VCF_TRUNCATED
    const status = readLine(at, contentEnd(at, lineEnd))
    if (status != OK) return status
    at = lineEnd + 1
  }
  return OK
}

/** After the last part. */
export function checkComplete(): i32 {
  return peopleCount > 0 ? OK : VCF_HEADER
}

function readLine(start: usize, end: usize): i32 {
  if (isPrefix(start, end, '##')) return peopleCount == 0 ? OK : VCF_HEADER
  if (isPrefix(start, end, '#')) return peopleCount == 0 ? readHeader(start, end) : VCF_HEADER
  return peopleCount == 0 ? VCF_HEADER : readRecord(start, end)
}

function readHeader(start: usize, end: usize): i32 {
  let at = start
  for (let column = 0; column < FIXED; column++) {
    if (at > end) return VCF_SAMPLES
    const stop = find(at, end, TAB)
    if (!isText(at, stop, COLUMN_NAMES[column])) return VCF_HEADER
    at = stop + 1
  }
  return at > end ? VCF_SAMPLES : addPeople(at, end)
}

function readRecord(start: usize, end: usize): i32 {
  recordCount++
  fields[CHROM] = start
  for (let field = 1; field <= ALT + 1; field++) {
    const tab = find(fields[field - 1], end, TAB)
    if (tab == end) return VCF_MALFORMED
    fields[field] = tab + 1
  }
  const position = parseCount(fields[POS], fields[POS + 1] - 1)
  if (position < 0) return VCF_MALFORMED
  const chromosome = parseChromosome(fields[CHROM], fields[CHROM + 1] - 1)
  if (chromosome == 0) return OK
  for (let at = rowsNear(chromosome, position); at != 0; at = changetype<Row>(at).next) {
    const row = changetype<Row>(at)
    if (row.chromosome != chromosome || row.position != position || row.factors != 0) continue
    const effect = effectAllele(row)
    if (effect < 0) continue
    const status = matchRow(row, effect, end)
    if (status != OK) return status
  }
  return OK
}

function refEnd(): usize {
  return fields[REF + 1] - 1
}

function altEnd(): usize {
  return fields[ALT + 1] - 1
}

/** Index of the weight's effect allele in this record; -1 where it has not both alleles. */
function effectAllele(row: Row): i32 {
  const hasOther = row.other != row.otherEnd
  if (isSame(row.effect, row.effectEnd, fields[REF], refEnd())) {
    const isThere = hasOther ? altIndex(row.other, row.otherEnd) > 0 : altCount() == 1
    return isThere ? 0 : -1
  }
  if (hasOther && !isSame(row.other, row.otherEnd, fields[REF], refEnd())) return -1
  return altIndex(row.effect, row.effectEnd)
}

/** From 1; -1 where it is none of them. */
function altIndex(start: usize, end: usize): i32 {
  let index = 1
  for (let at = fields[ALT]; at <= altEnd(); index++) {
    const comma = find(at, altEnd(), 0x2c)
    if (isSame(at, comma, start, end)) return index
    at = comma + 1
  }
  return -1
}

function altCount(): i32 {
  let count = 0
  for (let at = fields[ALT]; at <= altEnd(); at = find(at, altEnd(), 0x2c) + 1) count++
  return count
}

function matchRow(row: Row, effect: i32, end: usize): i32 {
  if (dropsAmbiguous && isAmbiguous(row, effect)) {
    ambiguousCount++
    return OK
  }
  for (let field = ALT + 2; field <= FIXED; field++) {
    const tab = find(fields[field - 1], end, TAB)
    if (tab == end) return field <= FORMAT ? VCF_NO_GENOTYPES : VCF_TRUNCATED
    fields[field] = tab + 1
  }
  const formatEnd = fields[FIXED] - 1
  const hasGenotypes =
    isText(fields[FORMAT], formatEnd, 'GT') || isPrefix(fields[FORMAT], formatEnd, 'GT:')
  if (!hasGenotypes) return VCF_NO_GENOTYPES
  reading.effect = effect
  reading.lastAllele = altCount()
  reading.type = row.type
  reading.people = peopleCount
  reading.factors = heap.alloc((<usize>peopleCount + 15) & ~15)
  memory.fill(reading.factors, 0, (<usize>peopleCount + 15) & ~15)
  reading.missing = missingCalls
  row.factors = reading.factors
  return readGenotypes(fields[FIXED], end, reading)
}

/** One base against its complement. The allele beside the effect allele is what the row says, else what the record has. */
function isAmbiguous(row: Row, effect: i32): bool {
  let other = row.other
  let otherEnd = row.otherEnd
  if (other == otherEnd) {
    other = effect == 0 ? fields[ALT] : fields[REF]
    otherEnd = effect == 0 ? altEnd() : refEnd()
  }
  if (row.effectEnd - row.effect != 1 || otherEnd - other != 1) return false
  return upper(load<u8>(other)) == complement(upper(load<u8>(row.effect)))
}

function complement(base: u8): u8 {
  if (base == 0x41) return 0x54
  if (base == 0x54) return 0x41
  if (base == 0x43) return 0x47
  return base == 0x47 ? 0x43 : 0
}
