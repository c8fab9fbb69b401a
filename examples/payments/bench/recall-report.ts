// `--recall`: the table that the README shows.

import { buildEnclave } from '@casemate/enclave'
import { buildOptions, DEFAULT_RULES } from '../configuration.ts'
import { packSanctions } from '../owner.ts'
import { bareEnclaves, labelled } from '../test/bare-enclave.ts'
import { type Inputs, listedNames } from '../test/generate/inputs.ts'
import { ReferenceList } from '../test/reference/screening.ts'
import { countDifferences, measureFalsePositives, measureRecall, type Rate, screenWith } from './recall.ts'

const PER_KIND = 2_000
const OF_NO_LIST = 20_000
const COMPARED = 600

export async function printRecall(
  { sanctions, origin }: Inputs,
  print: (line?: string) => void,
): Promise<void> {
  const image = await buildEnclave(buildOptions())
  const enclave = (await bareEnclaves(image, DEFAULT_RULES))()
  const call = (name: string, input?: Uint8Array): Uint8Array => {
    const answer = enclave.call(name, input)
    if (typeof answer === 'number') throw new Error(`${name} answered with status ${answer}`)
    return answer
  }
  call('begin')
  call('loadSanctions', labelled('list', packSanctions(sanctions)))
  const screen = screenWith(async frame => call('examine', frame))
  const { threshold } = DEFAULT_RULES
  print(`${listedNames(sanctions).length} names (${origin}), held at ${threshold}% and above`)
  print()
  print(
    `${'a listed name, written'.padEnd(42)}${'names'.padStart(7)}${'held'.padStart(9)}${'for the party'.padStart(15)}`,
  )
  for (const rate of await measureRecall(screen, sanctions, PER_KIND))
    print(`${line(rate)}${share(rate.heldForParty, rate)}`)
  print()
  for (const rate of await measureFalsePositives(screen, OF_NO_LIST)) print(line(rate))
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  const list = new ReferenceList(text(sanctions.parties), text(sanctions.aliases))
  const differences = await countDifferences(screen, list, { files: sanctions, count: COMPARED, threshold })
  print()
  print(`${differences} of ${COMPARED} names have another answer than without an index`)
}

function line(rate: Rate): string {
  return `${rate.what.padEnd(42)}${String(rate.names).padStart(7)}${share(rate.held, rate).padStart(9)}`
}

function share(part: number, { names }: Rate): string {
  return `${((100 * part) / names).toFixed(2)}%`.padStart(9)
}
