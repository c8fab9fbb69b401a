// Certificate authorities of one's own, for the TLS of a broker and of services of endorsements, from the file that
// --ca-file names.

import { Refusal } from '@casemate/evidence'
import { trustAuthorities } from '@casemate/evidence/node'
import type { Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readBytes } from '../files/input-files.ts'

/** Before the first connection, as what is connected stays as it was. @throws {CliError} file-not-readable, file-malformed */
export function trustOwnAuthority(call: Call): void {
  const path = call.option('ca-file') ?? call.terminal.env['CASEMATE_CA_FILE'] ?? ''
  if (path === '') return
  try {
    trustAuthorities(new TextDecoder().decode(readBytes(path)))
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new CliError('file-malformed', `${path} holds no certificate in PEM, or a broken one`, {
      hint: '--ca-file and CASEMATE_CA_FILE name the certificate of your authority: -----BEGIN CERTIFICATE-----',
      cause,
    })
  }
}
