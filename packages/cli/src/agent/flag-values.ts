// The values of flags that are one of a few words, or a number.

import { nearest } from '@casemate/evidence'
import { CliError } from '../failure.ts'

/** One of a few words; the first where nothing was typed. @throws {CliError} flag-value-invalid */
export function readWord<Word extends string>(
  flag: string,
  typed: string | null,
  words: readonly [Word, ...Word[]],
): Word {
  const word = typed === null ? words[0] : words.find(one => one === typed)
  if (word !== undefined) return word
  const near = nearest(typed ?? '', [...words])
  const hint = `${near === null ? '' : `did you mean ${near}? `}one of ${words.join(', ')}`
  throw new CliError('flag-value-invalid', `--${flag} is ${typed}`, { hint })
}

/** A whole number from 0. @throws {CliError} flag-value-invalid */
export function readNumber(flag: string, typed: string, maximum: number): number {
  const value = /^\d{1,9}$/.test(typed) ? Number(typed) : Number.NaN
  if (value <= maximum) return value
  throw new CliError('flag-value-invalid', `--${flag} is ${typed}`, {
    hint: `a whole number from 0 to ${maximum}`,
  })
}
