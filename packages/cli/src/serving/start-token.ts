// The administrator's token that a start makes, or that an earlier one left. It is shown on a person's screen, or else
// kept in a file of mode 0600 in the data directory: a pipe may end in a supervisor's log, which others read
// (decision 27).

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunningBroker } from '@casemate/broker'
import { reachable } from '../broker/connection.ts'
import { TOKEN_FILE, writeWhole } from '../broker/data-directory.ts'
import { CliError } from '../failure/cli-error.ts'
import { notWritable } from '../files/input-files.ts'
import { time } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { LOST_TOKEN, tokenLines } from '../tour/tour-text.ts'

/** A token in a file: where, and when it ends (RFC 3339). */
export interface TokenFile {
  readonly path: string
  readonly endsAt: string
}

/** What a start has put there; what is not a token, or cannot be read, is none, and keeps no broker from starting. */
export function savedToken(dataDir: string): string | null {
  try {
    const text = readFileSync(join(dataDir, TOKEN_FILE), 'utf8').trim()
    return text.startsWith('cmt_') ? text : null
  } catch {
    return null
  }
}

/** It exists nowhere else. @throws {CliError} file-not-writable */
export function saveToken(dataDir: string, token: string): void {
  const path = join(dataDir, TOKEN_FILE)
  try {
    writeWhole(path, `${token}\n`)
  } catch (cause) {
    const { code, message } = notWritable(path, cause)
    throw new CliError(code, `the administrator’s token cannot be kept: ${message}`, {
      hint: 'mend that, and start with --new-admin-token: the one that was made is lost',
      cause,
    })
  }
}

/** The file with a token that still is one; null if there is none. */
export async function tokenFile(
  broker: Pick<RunningBroker, 'endOfToken'>,
  dataDir: string,
): Promise<TokenFile | null> {
  const token = savedToken(dataDir)
  const endsAt = token === null ? null : await broker.endOfToken(token)
  return endsAt === null ? null : { path: join(dataDir, TOKEN_FILE), endsAt: endsAt.toISOString() }
}

/** Where to find a token of `up`, line by line; one that was `made` is kept first where no person watches. */
export async function tokenNotes(
  made: string | null,
  broker: Pick<RunningBroker, 'endOfToken' | 'url'>,
  dataDir: string,
  terminal: Terminal,
): Promise<readonly string[]> {
  const endsAt = made === null ? null : await broker.endOfToken(made)
  if (made !== null && endsAt !== null && terminal.status !== null)
    return tokenLines({ token: made, savedTo: null, endsAt }, terminal)
  if (made !== null) saveToken(dataDir, made)
  const file = await tokenFile(broker, dataDir)
  if (file !== null) return fileNotes(file, savedToken(dataDir) ?? '', reachable(broker.url))
  return [
    ...(savedToken(dataDir) === null
      ? []
      : [`casemate: the token in ${join(dataDir, TOKEN_FILE)} has ended or was revoked; remove the file`]),
    `hint: ${LOST_TOKEN}`,
  ]
}

function fileNotes({ path, endsAt }: TokenFile, token: string, url: string): readonly string[] {
  const [, id = ''] = token.split('_')
  return [
    `casemate: an administrator’s token is in ${path} (mode 0600), and ends ${time(endsAt)}`,
    `hint: with it, make tokens for people and programs (casemate token create NAME --role ROLE --server ${url} --token-file ${path}); then revoke it (casemate token revoke ${id}) and remove the file`,
  ]
}
