// The holder of the genotypes: seals them, the score that it approves, and people's consents, for one enclave's
// measurement. Whoever keeps the data key can also read the enclave's audit, and nobody else can.
import { randomBytes } from 'node:crypto'
import { type SealOptions, seal, type UnsealOptions, unseal } from '@casemate/enclave'

/** Of one part of the genotypes, in bytes; a longer line is a part of its own. */
const PART_SIZE = 1024 * 1024
/** Of a consent code, in bytes. */
export const CODE_SIZE = 16

/** Of the random name of a set of parts, in bytes. */
const SET_SIZE = 8

const LINE_FEED = 0x0a
const FIRST_SAMPLE = 9

/** The biobank's data, in plain text. */
export interface Cohort {
  /** As in the enclave’s configuration. */
  readonly name: string
  readonly scoreName: string
  /** PGS Catalog format. */
  readonly score: Uint8Array
  /** VCF. */
  readonly genotypes: Uint8Array
  /** Codes of the people who consent: each gives theirs to whoever may ask. */
  readonly consents: ReadonlyMap<string, Uint8Array>
}

/** The sealed data, for whoever runs the enclave. */
export interface SealedCohort {
  readonly score: Uint8Array
  readonly genotypes: readonly Uint8Array[]
  readonly consents: Uint8Array
}

export function sealCohort(cohort: Cohort, options: UnsealOptions): SealedCohort {
  const label = (text: string): SealOptions => ({
    ...options,
    policy: 'mrEnclave',
    additionalData: new TextEncoder().encode(`genomics/1 ${text}`),
  })
  const parts = partsOf(cohort.genotypes)
  // Parts of one sealing belong together: nobody mixes those of an old one with those of a new one.
  const set = randomBytes(SET_SIZE).toString('hex')
  return {
    score: seal(cohort.score, label(`score ${cohort.scoreName}`)),
    genotypes: parts.map((part, index) =>
      seal(part, label(`genotypes ${cohort.name} ${index + 1}/${parts.length} ${set}`)),
    ),
    consents: seal(consentLines(cohort.consents), label(`consents ${cohort.name}`)),
  }
}

/** The people of a VCF, from its header. */
export function samplesOf(genotypes: Uint8Array): readonly string[] {
  const text = new TextDecoder().decode(genotypes)
  const header = /^#CHROM\t.*$/m.exec(text)?.[0] ?? ''
  return header.trimEnd().split('\t').slice(FIRST_SAMPLE)
}

/** A fresh code for each. */
export function newConsents(
  names: readonly string[],
  random: (size: number) => Uint8Array = randomBytes,
): Map<string, Uint8Array> {
  return new Map(names.map(name => [name, random(CODE_SIZE)]))
}

/** One person, as the enclave scored them. */
export interface AuditedPerson {
  /** Null if too many calls are missing. */
  readonly score: number | null
  readonly missing: number
  readonly band: number
}

/** Opens the answer of `audit`. @throws {EnclaveError} seal-mac-mismatch and others, as `unseal` */
export function openAudit(blob: Uint8Array, options: UnsealOptions): ReadonlyMap<string, AuditedPerson> {
  const { plaintext } = unseal(blob, options)
  const lines = new TextDecoder().decode(plaintext).split('\n').slice(0, -1)
  return new Map(
    lines.map(line => {
      const [name = '', bits = '', missing, band] = line.split('\t')
      const score = bits === '-' ? null : Buffer.from(bits, 'hex').readDoubleBE()
      return [name, { score, missing: Number(missing), band: Number(band) }]
    }),
  )
}

/** Whole lines, so that the enclave holds none of them longer than it must. */
function partsOf(genotypes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  let start = 0
  while (start < genotypes.length) {
    const end = endOfPart(genotypes, start)
    parts.push(genotypes.subarray(start, end))
    start = end
  }
  return parts
}

function endOfPart(genotypes: Uint8Array, start: number): number {
  if (start + PART_SIZE >= genotypes.length) return genotypes.length
  const last = genotypes.lastIndexOf(LINE_FEED, start + PART_SIZE - 1)
  if (last >= start) return last + 1
  const next = genotypes.indexOf(LINE_FEED, start + PART_SIZE)
  return next < 0 ? genotypes.length : next + 1
}

function consentLines(consents: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const lines = [...consents].map(([name, code]) => `${name}\t${Buffer.from(code).toString('hex')}\n`)
  return new TextEncoder().encode(lines.join(''))
}
