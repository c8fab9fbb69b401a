// A polygenic score in the format of the PGS Catalog: lines with #, a line of column names, a weight in each row.
// Rows stay in the file's order, which is the order of summation. Positions are the harmonised ones (hm_chr, hm_pos)
// where the file has them. A row whose position is empty is placed nowhere; one that says again what an earlier one
// said of the same alleles and effect is counted once, whatever is_duplicated says.
import { parseDecimal } from './decimal'
import { OK, SCORE_COLUMNS, SCORE_MALFORMED, SCORE_UNSUPPORTED } from './status'
import { contentEnd, find, isPrefix, isSame, isText, LINE_FEED, parseChromosome, parseCount, TAB } from './text'

export const ADDITIVE: u8 = 0
/** The weight counts once, where there is a copy at all. */
export const DOMINANT: u8 = 1
/** The weight counts once, where every copy is the effect allele. */
export const RECESSIVE: u8 = 2

/** One weight, in plain memory. */
@unmanaged
export class Row {
  chromosome: u64
  weight: f64
  position: i32
  effect: usize
  effectEnd: usize
  /** Empty if the file does not name the other allele. */
  other: usize
  otherEnd: usize
  type: u8
  /** One factor for each person, once a record of the genotypes was found for it; else 0. */
  factors: usize
  /** The next row at the same hash, or 0. */
  next: usize
}

const CHR_NAME: i32 = 0
const CHR_POSITION: i32 = 1
const HM_CHR: i32 = 2
const HM_POS: i32 = 3
const EFFECT_ALLELE: i32 = 4
const OTHER_ALLELE: i32 = 5
const HM_OTHER: i32 = 6
const WEIGHT: i32 = 7
const EFFECT_TYPE: i32 = 8
const IS_DOMINANT: i32 = 9
const IS_RECESSIVE: i32 = 10
/** From here on: what must not be True. */
const IS_HAPLOTYPE: i32 = 11
const NAMES: StaticArray<string> = [
  'chr_name',
  'chr_position',
  'hm_chr',
  'hm_pos',
  'effect_allele',
  'other_allele',
  'hm_inferOtherAllele',
  'effect_weight',
  'effect_type',
  'is_dominant',
  'is_recessive',
  'is_haplotype',
  'is_diplotype',
  'is_interaction',
]
/** Of a score file; the catalogue's have about twenty. */
const MAX_COLUMNS: i32 = 64

/** Column of the file for each name, or -1. */
const columns = new StaticArray<i32>(14)
/** Starts of a line's fields, and one more: the line's end and a byte. */
const fields = new StaticArray<usize>(MAX_COLUMNS + 1)
let fieldCount: i32 = 0
/** Of the line of names; every row has as many. */
let columnCount: i32 = 0

const ROW_SIZE: usize = offsetof<Row>()
let rows: usize = 0
let capacity: i32 = 0
export let rowCount: i32 = 0
export let unplacedCount: i32 = 0
export let duplicateCount: i32 = 0

/** Rows by hash of chromosome and position, once all are there. */
let buckets: usize = 0
let bucketMask: u32 = 0

export function rowAt(index: i32): Row {
  return changetype<Row>(rows + <usize>index * ROW_SIZE)
}

/** The first row whose place has the hash of this one; the others follow by `next`. 0 for none. */
export function rowsNear(chromosome: u64, position: i32): usize {
  return load<usize>(bucketOf(chromosome, position))
}

/** Reads the file; the text must stay where it is. */
export function loadRows(start: usize, end: usize): i32 {
  let hasHeader = false
  for (let at = start; at < end; ) {
    const lineEnd = find(at, end, LINE_FEED)
    const stop = contentEnd(at, lineEnd)
    if (stop > at && !(!hasHeader && load<u8>(at) == 0x23)) {
      if (!split(at, stop)) return SCORE_MALFORMED
      const status = hasHeader ? addRow() : readColumns()
      if (status != OK) return status
      hasHeader = true
    }
    at = lineEnd + 1
  }
  if (!hasHeader) return SCORE_COLUMNS
  index()
  return OK
}

function split(start: usize, end: usize): bool {
  fieldCount = 0
  for (let at = start; ; ) {
    if (fieldCount == MAX_COLUMNS) return false
    fields[fieldCount++] = at
    const tab = find(at, end, TAB)
    if (tab == end) break
    at = tab + 1
  }
  fields[fieldCount] = end + 1
  return true
}

function readColumns(): i32 {
  columns.fill(-1)
  for (let field = 0; field < fieldCount; field++) {
    for (let name = 0; name < NAMES.length; name++) {
      if (!isText(fields[field], fields[field + 1] - 1, NAMES[name])) continue
      if (columns[name] != -1) return SCORE_COLUMNS
      columns[name] = field
    }
  }
  const isHarmonised = columns[HM_CHR] != -1 && columns[HM_POS] != -1
  if (isHarmonised) {
    columns[CHR_NAME] = columns[HM_CHR]
    columns[CHR_POSITION] = columns[HM_POS]
  }
  const isComplete =
    columns[CHR_NAME] != -1 && columns[CHR_POSITION] != -1 && columns[EFFECT_ALLELE] != -1 && columns[WEIGHT] != -1
  columnCount = fieldCount
  return isComplete ? OK : SCORE_COLUMNS
}

function startOf(name: i32): usize {
  const column = columns[name]
  return column == -1 ? 0 : fields[column]
}

/** Of an absent column: the same as its start, so that it is empty. */
function endOf(name: i32): usize {
  const column = columns[name]
  return column == -1 ? 0 : fields[column + 1] - 1
}

function addRow(): i32 {
  if (fieldCount != columnCount) return SCORE_MALFORMED
  const row = newRow()
  row.weight = parseDecimal(startOf(WEIGHT), endOf(WEIGHT))
  // Neither infinite nor NaN.
  if (row.weight - row.weight != 0) return SCORE_MALFORMED
  row.effect = startOf(EFFECT_ALLELE)
  row.effectEnd = endOf(EFFECT_ALLELE)
  if (row.effect == row.effectEnd) return SCORE_MALFORMED
  const hasOther = startOf(OTHER_ALLELE) != endOf(OTHER_ALLELE)
  row.other = startOf(hasOther ? OTHER_ALLELE : HM_OTHER)
  row.otherEnd = endOf(hasOther ? OTHER_ALLELE : HM_OTHER)
  if (!readType(row)) return SCORE_UNSUPPORTED
  const hasPlace = startOf(CHR_NAME) != endOf(CHR_NAME) && startOf(CHR_POSITION) != endOf(CHR_POSITION)
  if (!hasPlace) {
    unplacedCount++
    return OK
  }
  row.chromosome = parseChromosome(startOf(CHR_NAME), endOf(CHR_NAME))
  row.position = parseCount(startOf(CHR_POSITION), endOf(CHR_POSITION))
  return row.position < 0 ? SCORE_MALFORMED : OK
}

function readType(row: Row): bool {
  for (let name = IS_HAPLOTYPE; name < NAMES.length; name++) if (isTrue(name)) return false
  const start = startOf(EFFECT_TYPE)
  const end = endOf(EFFECT_TYPE)
  const isDominant = isTrue(IS_DOMINANT) || isText(start, end, 'dominant')
  const isRecessive = isTrue(IS_RECESSIVE) || isText(start, end, 'recessive')
  if (isDominant && isRecessive) return false
  row.type = isDominant ? DOMINANT : isRecessive ? RECESSIVE : ADDITIVE
  return start == end || isDominant || isRecessive || isText(start, end, 'additive')
}

function isTrue(name: i32): bool {
  return isPrefix(startOf(name), endOf(name), 'True') || isPrefix(startOf(name), endOf(name), 'TRUE')
}

/** Zeroed, at the end of the table. */
function newRow(): Row {
  if (rowCount == capacity) {
    capacity = max(4096, capacity * 2)
    const bytes = <usize>capacity * ROW_SIZE
    rows = rows == 0 ? heap.alloc(bytes) : heap.realloc(rows, bytes)
  }
  const row = rows + <usize>rowCount * ROW_SIZE
  rowCount++
  memory.fill(row, 0, ROW_SIZE)
  return changetype<Row>(row)
}

function index(): void {
  const size = <u32>1 << (32 - clz<u32>(<u32>rowCount * 2 + 1))
  bucketMask = size - 1
  buckets = heap.alloc(<usize>size * sizeof<usize>())
  memory.fill(buckets, 0, <usize>size * sizeof<usize>())
  for (let i = 0; i < rowCount; i++) {
    const row = rowAt(i)
    if (row.chromosome == 0) continue
    const bucket = bucketOf(row.chromosome, row.position)
    if (isRepeated(row, load<usize>(bucket))) {
      duplicateCount++
      continue
    }
    row.next = load<usize>(bucket)
    store<usize>(bucket, changetype<usize>(row))
  }
}

function bucketOf(chromosome: u64, position: i32): usize {
  const mixed = (chromosome * 0x9e3779b97f4a7c15 + <u64>position) * 0xbf58476d1ce4e5b9
  return buckets + <usize>(<u32>(mixed >> 32) & bucketMask) * sizeof<usize>()
}

function isRepeated(row: Row, first: usize): bool {
  for (let at = first; at != 0; at = changetype<Row>(at).next) {
    const other = changetype<Row>(at)
    const isRepeat =
      other.chromosome == row.chromosome &&
      other.position == row.position &&
      other.type == row.type &&
      isSame(other.effect, other.effectEnd, row.effect, row.effectEnd) &&
      isSame(other.other, other.otherEnd, row.other, row.otherEnd)
    if (isRepeat) return true
  }
  return false
}
