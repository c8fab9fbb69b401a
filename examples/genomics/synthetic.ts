// A cohort that nobody lives in: genotypes and a score, the same for the same seed. It has what real files have and
// what makes trouble: several alternate alleles, insertions, missing calls, one copy of X, weights for REF, weights
// for strangers, and numbers written in every way.

export interface SyntheticOptions {
  readonly seed: number
  readonly people: number
  /** Records of the VCF; the score has more rows. */
  readonly variants: number
}

export interface SyntheticCohort {
  readonly vcf: Uint8Array
  readonly score: Uint8Array
}

const CHROMOSOMES = [...Array.from({ length: 22 }, (_, index) => String(index + 1)), 'X']
const BASES = ['A', 'C', 'G', 'T']
const TRANSITIONS: Readonly<Record<string, string>> = { A: 'G', G: 'A', C: 'T', T: 'C' }
const SCORE_COLUMNS = [
  'rsID',
  'chr_name',
  'chr_position',
  'effect_allele',
  'other_allele',
  'effect_weight',
  'effect_type',
  'hm_chr',
  'hm_pos',
  'hm_inferOtherAllele',
]

interface Variant {
  readonly chromosome: string
  readonly position: number
  readonly ref: string
  readonly alts: readonly string[]
}

export function makeCohort({ seed, people, variants }: SyntheticOptions): SyntheticCohort {
  const random = randomNumbers(seed)
  const sites = makeSites(variants, random)
  const encoder = new TextEncoder()
  return {
    vcf: encoder.encode(vcfText(sites, people, random)),
    score: encoder.encode(scoreText(sites, random)),
  }
}

/** Uniform in [0, 1), by mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function makeSites(count: number, random: () => number): Variant[] {
  const perChromosome = Math.ceil(count / CHROMOSOMES.length)
  return Array.from({ length: count }, (_, index) => {
    const ref = pick(BASES, random)
    const others = BASES.filter(base => base !== ref)
    // Most variants are transitions, as in real genomes.
    const first = random() < 0.7 ? (TRANSITIONS[ref] ?? ref) : pick(others, random)
    const kind = random()
    const alts =
      kind < 0.03
        ? others
            .filter(base => base !== first)
            .toSpliced(0, 0, first)
            .slice(0, 2)
        : [first]
    const isIndel = kind > 0.98
    return {
      chromosome: CHROMOSOMES[Math.floor(index / perChromosome)] ?? 'X',
      position: 10_000 + (index % perChromosome) * 50_000 + Math.floor(random() * 40_000),
      ref: isIndel ? `${ref}${first}` : ref,
      alts: isIndel ? [ref] : alts,
    }
  })
}

function vcfText(sites: readonly Variant[], people: number, random: () => number): string {
  const names = Array.from({ length: people }, (_, index) => `SYN${String(index + 1).padStart(5, '0')}`)
  const lines = [
    '##fileformat=VCFv4.3',
    '##source=casemate example, synthetic',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    ['#CHROM', 'POS', 'ID', 'REF', 'ALT', 'QUAL', 'FILTER', 'INFO', 'FORMAT', ...names].join('\t'),
  ]
  for (const { chromosome, position, ref, alts } of sites) {
    const frequency = random() ** 2
    const hasDepth = random() < 0.05
    const calls = names.map((_, index) => {
      const call = makeCall(alts.length, frequency, random)
      // Every second person has one copy of X.
      const copies = chromosome === 'X' && index % 2 === 1 ? call.slice(0, 1) : call
      return copies.join(random() < 0.95 ? '|' : '/') + (hasDepth ? ':17' : '')
    })
    const start = [
      chromosome,
      position,
      '.',
      ref,
      alts.join(','),
      '.',
      'PASS',
      '.',
      hasDepth ? 'GT:DP' : 'GT',
    ]
    lines.push([...start, ...calls].join('\t'))
  }
  return `${lines.join('\n')}\n`
}

function makeCall(alts: number, frequency: number, random: () => number): string[] {
  if (random() < 0.004) return ['.', '.']
  const allele = (): string => (random() < frequency ? String(1 + Math.floor(random() * alts)) : '0')
  return [allele(), allele()]
}

function scoreText(sites: readonly Variant[], random: () => number): string {
  const lines = [
    '###PGS CATALOG SCORING FILE - synthetic, of no meaning',
    '#format_version=2.0',
    '#pgs_id=SYNTHETIC',
    '#HmPOS_build=GRCh38',
    SCORE_COLUMNS.join('\t'),
  ]
  for (const [index, { chromosome, position, ref, alts }] of sites.entries()) {
    const alt = pick(alts, random)
    const isSwapped = random() < 0.2
    const isStranger = random() < 0.02
    const effect = isStranger ? 'TTTT' : isSwapped ? ref : alt
    const other = random() < 0.02 && alts.length === 1 ? '' : isSwapped ? alt : ref
    const kind = random()
    const type = kind < 0.05 ? 'dominant' : kind < 0.1 ? 'recessive' : 'additive'
    const row = [`rs${index + 1}`, chromosome, position + 7, effect, other, makeWeight(random), type]
    lines.push([...row, chromosome, position, ''].join('\t'))
    // Places that the genotypes do not have, and none at all.
    if (random() < 0.3) lines.push(strangerRow(chromosome, position + 1, random))
  }
  return `${lines.join('\n')}\n`
}

function strangerRow(chromosome: string, position: number, random: () => number): string {
  const isPlaced = random() < 0.9
  const place = isPlaced ? [chromosome, String(position)] : ['', '']
  return ['rs0', chromosome, position, 'A', 'G', makeWeight(random), 'additive', ...place, ''].join('\t')
}

function makeWeight(random: () => number): string {
  const weight = (random() + random() + random() - 1.5) * 0.05
  const style = random()
  if (style < 0.6) return weight.toPrecision(7)
  if (style < 0.8) return weight.toExponential(6)
  return style < 0.9 ? String(weight) : weight.toFixed(20)
}

function pick<Item>(items: ArrayLike<Item>, random: () => number): Item {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new RangeError('there is nothing to pick from')
  return item
}
