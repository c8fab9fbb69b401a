// What the bank that owns the rules does: seals the sanctions list for exactly this code. And the files it starts from.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { seal, type UnsealOptions } from '@casemate/enclave'
import {
  makeSanctions,
  packSanctions,
  readSanctions,
  type SanctionsFiles,
} from './test/generate/sanctions.ts'

/** What a sealed list is marked with, so that nothing else is taken for one. */
const LIST_LABEL = new TextEncoder().encode('list')
const SYNTHETIC_SEED = 1

export interface Inputs {
  readonly sanctions: SanctionsFiles
  /** What the list is, in words. */
  readonly origin: string
  /** Messages of others, by the names of their files. */
  readonly messages: ReadonlyMap<string, Uint8Array>
}

/** Of a folder with OFAC’s files; made up without one. */
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

export function sealSanctions(files: SanctionsFiles, owner: UnsealOptions): Uint8Array {
  return seal(packSanctions(files), { ...owner, policy: 'mrEnclave', additionalData: LIST_LABEL })
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
