// A made-up sanctions list, in the format of OFAC's two files.
import type { SanctionsFiles } from '../../owner.ts'
import { Random } from './random.ts'

const SYLLABLES = (
  'ba ka ra za ta sha mu ha ya di fa qa li na su gho dje bro vik tor mar ko zin pel dra gul nur ras tav ilo oma khe yus ' +
  'bel gor shu tam vel zor kan lid mos pav rud sef tig ulm'
).split(' ')
const TRADE = [
  'TRADING',
  'SHIPPING',
  'GENERAL TRADING',
  'INDUSTRIES',
  'BANK',
  'PETROCHEMICAL',
  'AVIATION',
  'HOLDING',
]
const FORM = ['CO.', 'COMPANY LIMITED', 'FZE', 'LLC', 'OOO', 'S.A.', 'GMBH', '']

/** Nobody's names, in the shape of the real list. */
export function makeSanctions(seed: number, count = 4_000): SanctionsFiles {
  const random = new Random(seed)
  const parties: string[] = []
  const aliases: string[] = []
  for (let index = 0; index < count; index++) {
    const id = 1_000 + index * 3
    const isPerson = random.chance(0.55)
    const name = isPerson ? person(random) : firm(random)
    const type = isPerson ? '"individual"' : random.chance(0.08) ? '"vessel"' : '-0- '
    const bic = !isPerson && random.chance(0.03) ? `SWIFT/BIC ${random.text(4, 'BCDFGKLM')}KP22; ` : ''
    parties.push(`${id},"${name}",${type},"TEST",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"${bic}made up."`)
    for (let alias = random.below(4); alias > 0; alias--) {
      aliases.push(`${id},${index * 4 + alias},"aka","${isPerson ? person(random) : firm(random)}",-0- `)
    }
  }
  const bytes = (rows: readonly string[]) => new TextEncoder().encode(`${rows.join('\r\n')}\r\n`)
  return { parties: bytes(parties), aliases: bytes(aliases) }
}

function word(random: Random): string {
  return Array.from({ length: 2 + random.below(3) }, () => random.pick(SYLLABLES)).join('')
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function person(random: Random): string {
  const given = Array.from({ length: 1 + random.below(2) }, () => capital(word(random))).join(' ')
  return `${random.chance(0.3) ? 'AL-' : ''}${word(random).toUpperCase()}, ${given}`
}

function firm(random: Random): string {
  return `${word(random)} ${random.chance(0.4) ? `${word(random)} ` : ''}${random.pick(TRADE)} ${random.pick(FORM)}`
    .toUpperCase()
    .trim()
}
