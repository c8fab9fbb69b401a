// Scores and bands. A score is the sum of weight times factor, in the order of the score file's rows, each product and
// each sum rounded to the nearest double: any program that does the same has the same bits. The band of a person is
// the tenth of the cohort that their rank is in: floor(10 * (people with a lower score) / people) + 1, so that equal
// scores are in one band. Whoever lacks too many calls has no score, no rank and no band.
import { missingCalls, peopleCount } from './people'
import { rowAt, rowCount } from './score-file'
import { COHORT_TOO_SMALL, OK, SCORE_REVEALING } from './status'

export const BANDS: i32 = 10

/** A score must meet these limits, so that a band does not tell a genotype. */
@unmanaged
export class Limits {
  minimumVariants: i32
  minimumPeople: i32
  /** Of the sum of all absolute weights, in percent: what one weight may have. */
  maximumShare: i32
  /** Of a person's calls, in percent: what may be missing. */
  maximumMissing: i32
}

/** Weights and factors of the rows that were matched, in the order of the file. */
let weights: StaticArray<f64> = []
let factors: StaticArray<usize> = []
/** Scores of those who have one, in rising order. */
let ranked: Float64Array = new Float64Array(0)
let maximumMissing: i32 = 0

/** After all genotypes: weighs what was matched, and scores everybody. */
export function openScoring(limits: Limits): i32 {
  maximumMissing = limits.maximumMissing
  if (!gatherRows(limits)) return SCORE_REVEALING
  const scores = scoreEverybody()
  let count = 0
  const scored = new Float64Array(peopleCount)
  for (let person = 0; person < peopleCount; person++) if (isScored(person)) scored[count++] = scores[person]
  if (count < limits.minimumPeople) return COHORT_TOO_SMALL
  ranked = Float64Array.wrap(scored.buffer, 0, count)
  ranked.sort()
  return OK
}

/** How many people have a score. */
export function scoredCount(): i32 {
  return ranked.length
}

/** How many weights count: matched, and not left out. */
export function variantCount(): i32 {
  return weights.length
}

export function isScored(person: i32): bool {
  return <i64>missingOf(person) * 100 <= <i64>weights.length * maximumMissing
}

export function missingOf(person: i32): i32 {
  return load<i32>(missingCalls + (<usize>person << 2))
}

export function scoreOf(person: i32): f64 {
  let sum: f64 = 0
  for (let i = 0; i < weights.length; i++) {
    sum += unchecked(weights[i]) * <f64>load<u8>(unchecked(factors[i]) + person)
  }
  return sum
}

/** 1 to 10; 0 for whoever has no score. */
export function bandOf(person: i32): u8 {
  const score = scoreOf(person)
  let low = 0
  let high = ranked.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (unchecked(ranked[middle]) < score) low = middle + 1
    else high = middle
  }
  // Whoever has the greatest score has fewer below than there are.
  const band = <u8>((<i64>low * BANDS) / ranked.length + 1)
  return isScored(person) ? band : 0
}

function gatherRows(limits: Limits): bool {
  let count = 0
  for (let i = 0; i < rowCount; i++) if (rowAt(i).factors != 0) count++
  weights = new StaticArray<f64>(count)
  factors = new StaticArray<usize>(count)
  let next = 0
  let sum: f64 = 0
  let greatest: f64 = 0
  for (let i = 0; i < rowCount; i++) {
    const row = rowAt(i)
    if (row.factors == 0) continue
    weights[next] = row.weight
    factors[next++] = row.factors
    sum += abs(row.weight)
    greatest = max(greatest, abs(row.weight))
  }
  // Sums that overflow could not be ranked; a sum of zero ranks nobody.
  if (!(sum * 2 < Infinity) || !(sum > 0)) return false
  return count >= limits.minimumVariants && greatest * 100 <= sum * limits.maximumShare
}

/** Four people at a time, each in a lane of its own: the order of every sum is that of `scoreOf`, and so are its bits. */
function scoreEverybody(): StaticArray<f64> {
  const padded = (peopleCount + 3) & ~3
  const scores = new StaticArray<f64>(padded)
  const base = changetype<usize>(scores)
  for (let i = 0; i < weights.length; i++) {
    const weight = f64x2.splat(unchecked(weights[i]))
    const row = unchecked(factors[i])
    for (let person: usize = 0; person < <usize>padded; person += 4) {
      const words = i16x8.extend_low_i8x16_u(v128.load_zero<u32>(row + person))
      const four = i32x4.extend_low_i16x8_u(words)
      const low = f64x2.convert_low_i32x4_u(four)
      const high = f64x2.convert_low_i32x4_u(i8x16.shuffle(four, four, 8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 0, 0, 0, 0, 0, 0))
      const at = base + (person << 3)
      v128.store(at, f64x2.add(v128.load(at), f64x2.mul(weight, low)))
      v128.store(at, f64x2.add(v128.load(at, 16), f64x2.mul(weight, high)), 16)
    }
  }
  return scores
}
