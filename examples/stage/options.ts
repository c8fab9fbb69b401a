// The options behind an example's name: its own, and those that all of them have.
import { existsSync } from 'node:fs'
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { PartyFailed } from './child.ts'

const COMMON = {
  /** More rounds, for figures to quote. */
  bench: { type: 'boolean', default: false },
  /** A folder to keep what was written in; it must not exist yet. */
  keep: { type: 'string' },
} as const

/** @throws {PartyFailed} usage */
export function readOptions<Own extends ParseArgsOptionsConfig>(
  args: readonly string[],
  usage: string,
  own: Own,
) {
  try {
    const { values } = parseArgs({ args: [...args], options: { ...COMMON, ...own } })
    const { keep } = values as { readonly keep?: string }
    if (keep !== undefined && existsSync(keep)) throw new TypeError(`${keep} exists already`)
    return values
  } catch (error) {
    throw wrongUsage(error instanceof Error ? error.message : String(error), usage)
  }
}

export function wrongUsage(message: string, usage: string): PartyFailed {
  return new PartyFailed('usage', message, usage)
}
