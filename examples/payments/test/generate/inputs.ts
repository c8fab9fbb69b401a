// The list and the messages that a run starts from: those of a folder with OFAC's files, or made-up ones.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSanctions, type SanctionsFiles } from '../../owner.ts'
import { makeSanctions } from './sanctions.ts'

const SYNTHETIC_SEED = 1

export interface Inputs {
  readonly sanctions: SanctionsFiles
  /** Of the list, in words. */
  readonly origin: string
  /** Messages of others, by the names of their files. */
  readonly messages: ReadonlyMap<string, Uint8Array>
}

/** Made up if no folder is named. @throws {PartyFailed} file-not-readable */
export function readInputs(directory: string | undefined): Inputs {
  if (directory === undefined) {
    return { sanctions: makeSanctions(SYNTHETIC_SEED), origin: 'made up', messages: new Map() }
  }
  const names = ['pacs.008.001.07.xml', 'pacs.009.001.07.xml'].filter(name =>
    existsSync(join(directory, name)),
  )
  return {
    sanctions: readSanctions(directory),
    origin: 'OFAC, as published',
    messages: new Map(names.map(name => [name, readFileSync(join(directory, name))])),
  }
}

/** Names of parties and aliases with the parties' numbers, without ships and aircraft. */
export function listedNames({
  parties,
  aliases,
}: SanctionsFiles): { readonly id: number; readonly name: string }[] {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  const rows = text(parties).split('\n')
  const vehicles = new Set(
    rows.filter(row => /^\d+,"[^"]*","(vessel|aircraft)"/.test(row)).map(row => row.split(',')[0]),
  )
  return [...rows, ...text(aliases).split('\n')].flatMap(row => {
    const [, id = '', name] = /^(\d+),(?:\d+,"[a-z]+",)?"([^"]*)"/.exec(row) ?? []
    return name === undefined || vehicles.has(id) ? [] : [{ id: Number(id), name }]
  })
}
