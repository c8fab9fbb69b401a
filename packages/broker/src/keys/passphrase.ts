// The file with the passphrase of the key-encryption key: one line of UTF-8.

import { readWithin } from '@casemate/evidence/node'
import { StartError } from '../errors.ts'
import { Redacted } from '../redacted.ts'

const LIMIT_BYTES = 65_536

const HINT = 'want a file that this user may read, with the passphrase in one line'

/** @throws {StartError} `kek-passphrase-missing` where the file cannot be read or is empty */
export function readPassphraseFile(path: string): Redacted<string> {
  const passphrase = readText(path)
  if (passphrase === '') throw new StartError('kek-passphrase-missing', `${path} is empty`, { hint: HINT })
  return new Redacted(passphrase)
}

/** Without the line end that editors add. */
function readText(path: string): string {
  try {
    return readWithin(path, LIMIT_BYTES)
      .toString('utf8')
      .replace(/\r?\n$/, '')
  } catch (error) {
    throw new StartError('kek-passphrase-missing', `${path} cannot be read`, { hint: HINT, cause: error })
  }
}
