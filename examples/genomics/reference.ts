// The answers that the enclave should give, written from the words in README.md and not from its code: strings, maps and
// JavaScript's own Number(), one weight after the other. Throws where a file is not what it should be.

export interface ReferenceSettings {
  readonly strandAmbiguous: 'drop' | 'keep'
  readonly maximumMissingPercent: number
}

export interface ReferenceResult {
  /** How many weights count. */
  readonly matched: number
  readonly ambiguous: number
  readonly duplicates: number
  readonly unplaced: number
  readonly people: ReadonlyMap<string, ReferencePerson>
}

export interface ReferencePerson {
  /** Null if too many calls are missing. */
  readonly score: number | null
  readonly missing: number
  readonly band: number
}

interface Weight {
  readonly place: string
  readonly effect: string
  readonly other: string
  readonly weight: number
  readonly type: 'additive' | 'dominant' | 'recessive'
}

interface VcfRecord {
  readonly alleles: readonly string[]
  readonly format: string
  readonly calls: readonly string[]
}

export function referenceScores(
  scoreText: string,
  vcfText: string,
  settings: ReferenceSettings,
): ReferenceResult {
  const { weights, duplicates, unplaced } = readWeights(scoreText)
  const { names, records } = readVcf(vcfText)
  const sums = names.map(() => 0)
  const missing = names.map(() => 0)
  let matched = 0
  let ambiguous = 0
  for (const one of weights) {
    const candidates = (records.get(one.place) ?? []).filter(record => effectIndex(one, record.alleles) >= 0)
    if (settings.strandAmbiguous === 'drop') {
      const unclear = candidates.filter(record => isPalindrome(one, record.alleles))
      // Each record at the place is looked at until one is taken.
      const until = candidates.findIndex(record => !isPalindrome(one, record.alleles))
      ambiguous += until < 0 ? unclear.length : candidates.slice(0, until).length
    }
    const record = candidates.find(
      ({ alleles }) => settings.strandAmbiguous === 'keep' || !isPalindrome(one, alleles),
    )
    if (record === undefined) continue
    matched++
    const effect = String(effectIndex(one, record.alleles))
    for (const [index, call] of record.calls.entries()) {
      const alleles = call.split(':')[0]!.split(/[|/]/)
      if (alleles.includes('.')) {
        missing[index]!++
        continue
      }
      const copies = alleles.filter(allele => String(Number(allele)) === effect).length
      const factor = {
        additive: copies,
        dominant: Math.min(copies, 1),
        recessive: Number(copies === alleles.length),
      }
      sums[index]! += one.weight * factor[one.type]
    }
  }
  const scores = sums.map((sum, index) =>
    missing[index]! * 100 > matched * settings.maximumMissingPercent ? null : sum,
  )
  const ranked = scores.filter(score => score !== null).toSorted((a, b) => a - b)
  const people = names.map((name, index): [string, ReferencePerson] => {
    const score = scores[index]!
    const band = score === null ? 0 : Math.floor((10 * ranked.indexOf(score)) / ranked.length) + 1
    return [name, { score, missing: missing[index]!, band }]
  })
  return { matched, ambiguous, duplicates, unplaced, people: new Map(people) }
}

function readWeights(text: string): { weights: Weight[]; duplicates: number; unplaced: number } {
  const lines = text.split(/\r?\n/).filter(line => line !== '')
  const [header = '', ...rows] = lines.filter(line => !line.startsWith('#'))
  const names = header.split('\t')
  const hasHarmonised = names.includes('hm_chr') && names.includes('hm_pos')
  const seen = new Set<string>()
  const weights: Weight[] = []
  let duplicates = 0
  let unplaced = 0
  for (const line of rows) {
    const row: Record<string, string> = Object.fromEntries(
      line.split('\t').map((value, index) => [names[index], value]),
    )
    const chromosome = row[hasHarmonised ? 'hm_chr' : 'chr_name'] ?? ''
    const position = row[hasHarmonised ? 'hm_pos' : 'chr_position'] ?? ''
    if (chromosome === '' || position === '') {
      unplaced++
      continue
    }
    const one: Weight = {
      place: placeOf(chromosome, position),
      effect: row['effect_allele']!.toUpperCase(),
      other: (row['other_allele'] || row['hm_inferOtherAllele'] || '').toUpperCase(),
      weight: Number(row['effect_weight']),
      type: typeOf(row),
    }
    const key = [one.place, one.effect, one.other, one.type].join(' ')
    if (seen.has(key) && nameOf(chromosome).length <= 8) duplicates++
    else weights.push(one)
    seen.add(key)
  }
  return { weights, duplicates, unplaced }
}

function typeOf(row: Record<string, string>): Weight['type'] {
  if (row['is_dominant']?.startsWith('True') || row['effect_type'] === 'dominant') return 'dominant'
  if (row['is_recessive']?.startsWith('True') || row['effect_type'] === 'recessive') return 'recessive'
  return 'additive'
}

function readVcf(text: string): { names: string[]; records: Map<string, VcfRecord[]> } {
  const records = new Map<string, VcfRecord[]>()
  let names: string[] = []
  for (const line of text.split(/\r?\n/)) {
    if (line === '' || line.startsWith('##')) continue
    const columns = line.split('\t')
    if (line.startsWith('#CHROM')) {
      names = columns.slice(9)
      continue
    }
    const [chromosome, position, , ref, alt, , , , format, ...calls] = columns
    const place = placeOf(chromosome!, position!)
    const alleles = [ref!, ...alt!.split(',')].map(allele => allele.toUpperCase())
    records.set(place, [...(records.get(place) ?? []), { alleles, format: format!, calls }])
  }
  return { names, records }
}

function nameOf(chromosome: string): string {
  return chromosome.toUpperCase().replace(/^CHR(?=.)/, '')
}

function placeOf(chromosome: string, position: string): string {
  return `${nameOf(chromosome)}:${Number(position)}`
}

/** Which allele the weight is for: 0 is REF; -1 where the record has not both. */
function effectIndex({ effect, other }: Weight, [ref, ...alts]: readonly string[]): number {
  if (other === '') return effect === ref ? (alts.length === 1 ? 0 : -1) : [ref, ...alts].indexOf(effect)
  if (effect === ref && alts.includes(other)) return 0
  if (other === ref && alts.includes(effect)) return alts.indexOf(effect) + 1
  return -1
}

function isPalindrome({ effect, other }: Weight, [ref, ...alts]: readonly string[]): boolean {
  const beside = other || (effect === ref ? alts[0] : ref)
  return ['AT', 'TA', 'CG', 'GC'].includes(`${effect}${beside}`) && effect.length === 1
}
