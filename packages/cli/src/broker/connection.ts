// The broker that is meant, and who one is there: flags over environment over what a start left behind.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Admin, type HttpOptions, isLoopback, openAdmin } from '@casemate/client'
import type { Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readBytes } from '../files/input-files.ts'
import { trustOwnAuthority } from './authorities.ts'
import { DEFAULT_DATA_DIRECTORY, TOKEN_FILE } from './data-directory.ts'
import { noticingTls } from './noticing-tls.ts'

/** Where `casemate up` listens unless told otherwise. */
export const DEFAULT_SERVER = 'http://127.0.0.1:8080'

/** The broker's URL. */
function serverOf(call: Call): string {
  return call.option('server') ?? call.terminal.env['CASEMATE_SERVER'] ?? DEFAULT_SERVER
}

/** Where a broker that listens on every address of this machine is reached from here: no certificate has `0.0.0.0`. */
export function reachable(url: string): string {
  return url.replace(/^(https?:\/\/)(?:0\.0\.0\.0|\[::\])(?=:|$)/, '$1localhost')
}

/** How to reach the broker, as nobody in particular. */
export function brokerOf(call: Call): HttpOptions {
  trustOwnAuthority(call)
  return { url: serverOf(call), fetch: noticingTls(call.terminal.fetch) }
}

/**
 * The broker's `/v1` as this administrator. What was typed wrong is told before a token that is missing: it is looked for as
 * the first request is sent. @throws {CliError} then: token-missing, token-malformed, file-not-readable
 */
export function adminOf(call: Call): Admin {
  const url = serverOf(call)
  trustOwnAuthority(call)
  let token: string | null = null
  const once = () => {
    // A pipe can be read once.
    token ??= tokenFor(call, url)
    return token
  }
  return openAdmin({ url, token: once, fetch: noticingTls(call.terminal.fetch) })
}

function tokenFor(call: Call, url: string): string {
  const file = call.option('token-file')
  const token =
    file === null
      ? (call.terminal.env['CASEMATE_TOKEN'] ?? tokenOfStart(call, url))
      : new TextDecoder().decode(readBytes(file)).trim()
  if (token !== null && token !== '') return checkedToken(token, file)
  throw new CliError('token-missing', `no administrator’s token for ${url}`, {
    hint: 'set CASEMATE_TOKEN, or --token-file; the broker’s first start showed one, or left it in admin-token in its data directory; casemate up --new-admin-token makes another',
  })
}

/** A file that was mistaken for the token's must not be sent, nor shown. */
function checkedToken(token: string, file: string | null): string {
  if (/^cmt_[\w-]{1,200}$/.test(token)) return token
  const where = file === null ? 'CASEMATE_TOKEN' : file
  throw new CliError('token-malformed', `${where} (${token.length} characters) is no administrator’s token`, {
    hint: 'a token is one line that begins with cmt_; casemate token create makes one',
  })
}

/** The token that a start has left is for the broker on this machine, and is sent nowhere else. */
function tokenOfStart(call: Call, url: string): string | null {
  const host = URL.parse(url)?.hostname
  if (host === undefined || !isLoopback(host)) return null
  const directory = call.terminal.env['CASEMATE_DATA_DIR'] ?? DEFAULT_DATA_DIRECTORY
  try {
    return readFileSync(join(directory, TOKEN_FILE), 'utf8').trim()
  } catch {
    return null
  }
}
