// The file of the key-encryption key: every version that something may still use, in the clear under mode 0600 or
// sealed under a passphrase through scrypt (RFC 7914).

import { closeSync, fstatSync, type Stats } from 'node:fs'
import { readWithin } from '@casemate/evidence/node'
import { openExisting } from '@casemate/ledger/node'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { StartError } from '../errors.ts'

/** Room for ten thousand versions. */
const LIMIT_BYTES = 2 * 1024 * 1024

const Base64 = Type.String({ pattern: '^[A-Za-z0-9+/]+={0,2}$', maxLength: 256 })
const closed = { additionalProperties: false }

const Protection = Type.Union([
  Type.Object({ kind: Type.Literal('none') }, closed),
  Type.Object(
    {
      kind: Type.Literal('scrypt'),
      salt: Base64,
      logN: Type.Integer({ minimum: 14, maximum: 22 }),
      r: Type.Integer({ minimum: 1, maximum: 32 }),
      p: Type.Integer({ minimum: 1, maximum: 16 }),
    },
    closed,
  ),
])

const KeyFileContent = Type.Object(
  {
    format: Type.Literal('casemate-kek/1'),
    protection: Protection,
    current: Type.Integer({ minimum: 1 }),
    versions: Type.Array(Type.Object({ version: Type.Integer({ minimum: 1 }), key: Base64 }, closed), {
      minItems: 1,
    }),
  },
  closed,
)

export type KeyFileContent = Static<typeof KeyFileContent>
export type KeyProtection = Static<typeof Protection>

/** A key file as it was read. */
export interface ReadKeyFile {
  readonly content: KeyFileContent
  readonly text: string
}

/**
 * Null where there is no such file.
 * @throws {StartError} `kek-unsafe` where others may read it or own it, `kek-damaged` where it is not such a file
 */
export function readKeyFile(path: string): ReadKeyFile | null {
  const text = readPrivateFile(path)
  if (text === null) return null
  const content = parseContent(path, text)
  if (!Value.Check(KeyFileContent, content)) {
    throw new StartError('kek-damaged', `${path} is not a casemate-kek/1 file`, {
      hint: 'restore it from a backup',
    })
  }
  return { content, text }
}

/** @throws {RangeError} where it is larger than any key file */
export function readKeyText(file: number): string {
  return readWithin(file, LIMIT_BYTES).toString('utf8')
}

/** Reads the file that it looked at, as it opens it first. */
function readPrivateFile(path: string): string | null {
  const file = openExisting(path)
  if (file === null) return null
  try {
    if (process.platform !== 'win32') checkPrivate(path, fstatSync(file))
    return readKeyText(file)
  } catch (error) {
    if (error instanceof StartError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartError('kek-damaged', `${path} is no key file: ${reason}`, {
      hint: 'restore it from a backup',
      cause: error,
    })
  } finally {
    closeSync(file)
  }
}

function checkPrivate(path: string, { mode, uid }: Stats): void {
  if (uid !== process.getuid?.()) {
    throw new StartError('kek-unsafe', `${path} belongs to user ${uid}`, {
      hint: 'the key file must belong to the user that the broker runs as',
    })
  }
  if ((mode & 0o077) !== 0) {
    throw new StartError('kek-unsafe', `${path} has mode ${(mode & 0o777).toString(8)}, want 600`, {
      hint: `chmod 600 ${path}, and think about who may have read it`,
    })
  }
}

function parseContent(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What the parser says would quote the file.
    throw new StartError('kek-damaged', `${path} is not JSON`, { hint: 'restore it from a backup' })
  }
}
