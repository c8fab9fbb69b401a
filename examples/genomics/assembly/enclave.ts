// Polygenic risk for an insurer: the holder of the genotypes seals them, a score and people's consents for this code
// alone; `score` gives whoever has a person's consent code the tenth of the cohort that the person is in, and nothing
// else. First loadScore, loadGenotypes part by part, loadConsents, open; from then on describe, score, audit.
import { fail, Policy, seal, text, Unsealed, unseal } from 'casemate'
import { CODE_SIZE, addConsents, consentCount, findPerson, hasConsented, nameOf, peopleCount } from './people'
import { bandOf, isScored, missingOf, openScoring, scoreOf, scoredCount, variantCount } from './scoring'
import { duplicateCount, loadRows, rowCount, unplacedCount } from './score-file'
import { cohort, dropsAmbiguous, limits, readSettings, scoreName } from './settings'
import * as status from './status'
import { isText, parseCount } from './text'
import { ambiguousCount, checkComplete, configureMatching, loadRecords, recordCount } from './vcf'

const WANTS_SCORE: i32 = 0
const WANTS_GENOTYPES: i32 = 1
const WANTS_CONSENTS: i32 = 2
const WANTS_OPENING: i32 = 3
const OPEN: i32 = 4
const SPOILT: i32 = 5

let stage: i32 = WANTS_SCORE
/** How many parts of the genotypes were read. */
let parts: i32 = 0
/** Behind the cohort, the first part’s label names the set that all parts are of, and their number. */
let partSet: string = ''
let partCount: i32 = 0
/** The score's rows point into it. */
let scoreText: Uint8Array = new Uint8Array(0)

/** The score file, sealed. */
export function loadScore(sealed: Uint8Array): Uint8Array {
  if (stage != WANTS_SCORE) return fail(outOfOrder())
  if (!readSettings()) return fail(status.CONFIGURATION)
  configureMatching(dropsAmbiguous)
  const opened = unseal(sealed)
  if (opened.status != 0) return fail(status.NOT_SEALED)
  if (!isLabelled(opened, `score ${scoreName}`)) return fail(status.WRONG_LABEL)
  scoreText = opened.plaintext
  const start = scoreText.dataStart
  return advance(loadRows(start, start + scoreText.length), WANTS_GENOTYPES)
}

/** One part of the VCF, whole lines, sealed; parts of one set, in order, each once. */
export function loadGenotypes(sealed: Uint8Array): Uint8Array {
  if (stage != WANTS_GENOTYPES) return fail(outOfOrder())
  const opened = unseal(sealed)
  if (opened.status != 0) return fail(status.NOT_SEALED)
  if (parts == 0 && !readPartSet(opened)) return fail(status.WRONG_LABEL)
  if (!isLabelled(opened, `genotypes ${cohort} ${parts + 1}/${partCount} ${partSet}`)) return fail(status.WRONG_LABEL)
  const start = opened.plaintext.dataStart
  const result = loadRecords(start, start + opened.plaintext.length)
  if (result != status.OK || ++parts < partCount) return advance(result, WANTS_GENOTYPES)
  return advance(checkComplete(), WANTS_CONSENTS)
}

/** Who consents, with which code, sealed. */
export function loadConsents(sealed: Uint8Array): Uint8Array {
  if (stage != WANTS_CONSENTS) return fail(outOfOrder())
  const opened = unseal(sealed)
  if (opened.status != 0) return fail(status.NOT_SEALED)
  if (!isLabelled(opened, `consents ${cohort}`)) return fail(status.WRONG_LABEL)
  const start = opened.plaintext.dataStart
  return advance(addConsents(start, start + opened.plaintext.length), WANTS_OPENING)
}

/** Scores the cohort, if the score reveals no genotype. */
export function open(_: Uint8Array): Uint8Array {
  return stage == WANTS_OPENING ? advance(openScoring(limits), OPEN) : fail(outOfOrder())
}

/** A consent code and a person's name; one byte, the band from 1 to 10, or 0 if too many calls are missing. */
export function score(request: Uint8Array): Uint8Array {
  if (stage != OPEN) return fail(outOfOrder())
  const start = request.dataStart
  const nameStart = start + CODE_SIZE
  const end = start + request.length
  if (nameStart >= end) return fail(status.REQUEST_MALFORMED)
  const index = findPerson(nameStart, end)
  // Somebody is scored in any case: the time it takes is not to tell whether the name is in the cohort.
  const person = max(index, 0)
  const band = bandOf(person)
  const isAllowed = hasConsented(person, start) && index >= 0
  if (!isAllowed) return fail(status.NOT_CONSENTED)
  const answer = new Uint8Array(1)
  answer[0] = band
  return answer
}

/** Counts that say nothing of anybody, as JSON. */
export function describe(_: Uint8Array): Uint8Array {
  if (stage != OPEN) return fail(outOfOrder())
  return text.encode(
    `{"cohort":"${cohort}","score":"${scoreName}","people":${peopleCount},"scored":${scoredCount()},` +
      `"consents":${consentCount},"records":${recordCount},"weights":${rowCount},"matched":${variantCount()},` +
      `"ambiguous":${ambiguousCount},"duplicates":${duplicateCount},"unplaced":${unplacedCount}}`,
  )
}

/**
 * Everybody's score for the holder of the data key, who has the genotypes anyway: sealed, for nobody else opens it.
 * A line for each person: name, the 16 digits of the score's bits, missing calls, band.
 */
export function audit(_: Uint8Array): Uint8Array {
  if (stage != OPEN) return fail(outOfOrder())
  const lines = new Array<string>(peopleCount)
  for (let i = 0; i < peopleCount; i++) {
    const bits = isScored(i) ? reinterpret<u64>(scoreOf(i)).toString(16).padStart(16, '0') : '-'
    lines[i] = `${nameOf(i)}\t${bits}\t${missingOf(i)}\t${bandOf(i)}\n`
  }
  return seal(text.encode(lines.join('')), Policy.mrEnclave, text.encode(`genomics/1 audit ${cohort} ${scoreName}`))
}

function advance(result: i32, next: i32): Uint8Array {
  stage = result == status.OK ? next : SPOILT
  return result == status.OK ? new Uint8Array(0) : fail(result)
}

function outOfOrder(): i32 {
  return stage == SPOILT ? status.SPOILT : status.OUT_OF_ORDER
}

function isLabelled(opened: Unsealed, label: string): bool {
  const start = opened.additionalData.dataStart
  return isText(start, start + opened.additionalData.length, `genomics/1 ${label}`)
}

/** From a label that ends in /COUNT and the name of a set; the whole of it is compared afterwards. */
function readPartSet(opened: Unsealed): bool {
  const start = opened.additionalData.dataStart
  const end = start + opened.additionalData.length
  const setStart = behindLast(0x20, start, end)
  if (setStart == start) return false
  partSet = String.UTF8.decodeUnsafe(setStart, end - setStart)
  partCount = parseCount(behindLast(0x2f, start, setStart - 1), setStart - 1)
  return partCount > 0
}

/** Where the bytes behind the last one of these begin; the start where there is none. */
function behindLast(byte: u8, start: usize, end: usize): usize {
  let at = end
  while (at > start && load<u8>(at - 1) != byte) at--
  return at
}
