// The beginning of `up`: with all that was there unless a flag names what is missing. Flags only: a setting would stay.

import type { Beginning } from '@casemate/broker'
import type { Call, Flags } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'

export const BEGINNING_FLAGS = {
  restored: {
    value: 'SIZE',
    summary: 'go on from a database of a backup, whose log has SIZE entries; the log says so',
  },
  'begin-anew': {
    summary: 'begin with an empty database where the one that was there is lost; the log says so',
  },
} as const satisfies Flags

/** @throws {CliError} flag-value-invalid, flag-value-unwanted */
export function beginningOf(call: Call): Beginning {
  const restored = call.option('restored')
  if (restored === null) return call.given('begin-anew') ? 'anew' : 'as-it-was'
  if (call.given('begin-anew')) {
    throw new CliError('flag-value-unwanted', '--restored and --begin-anew exclude each other', {
      hint: 'a database of a backup is there, or none is',
    })
  }
  const restoredAt = Number(restored)
  if (!/^\d+$/.test(restored) || !Number.isSafeInteger(restoredAt)) {
    throw new CliError('flag-value-invalid', `--restored is ${restored}`, {
      hint: 'the number of entries that a start without it says that the log has',
    })
  }
  return { restoredAt }
}
