// Values that are one of a few words, with the one that was probably meant, or a number.

import { nearest } from '@casemate/evidence/nearest'
import type { Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'

/** One of a few words; the first if nothing was typed. @throws {CliError} flag-value-invalid */
export function readWord<Word extends string>(
  flag: string,
  typed: string | null,
  words: readonly [Word, ...Word[]],
): Word {
  const word = typed === null ? words[0] : words.find(one => one === typed)
  if (word !== undefined) return word
  throw new CliError('flag-value-invalid', `--${flag} is ${typed}`, { hint: wordsHint(typed ?? '', words) })
}

/** The hint for a word that is none of these. */
export function wordsHint(typed: string, words: readonly string[]): string {
  const near = nearest(typed, words)
  return `${near === null ? '' : `did you mean ${near}? `}one of ${words.join(', ')}`
}

/** A whole number from 0. @throws {CliError} flag-value-invalid */
export function readNumber(flag: string, typed: string, maximum: number): number {
  const value = /^\d{1,9}$/.test(typed) ? Number(typed) : Number.NaN
  if (value <= maximum) return value
  throw new CliError('flag-value-invalid', `--${flag} is ${typed}`, {
    hint: `a whole number from 0 to ${maximum}`,
  })
}

/** A flag that is a positive whole number. @throws {CliError} flag-value-invalid */
export function countOf(call: Call, name: string): number | null {
  const text = call.option(name)
  if (text === null) return null
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new CliError('flag-value-invalid', `--${name} is ${text}, want a whole number above 0`)
}
