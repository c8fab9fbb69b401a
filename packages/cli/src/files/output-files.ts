// Files that a command makes: whole or not at all, and in nobody else's place. A new build takes the place of an older
// image, and never that of a source or a key whose name was typed by mistake.

import { randomBytes } from 'node:crypto'
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { CliError } from '../failure/cli-error.ts'
import { errnoOf, notWritable } from './input-files.ts'

/** Begins what an output may take the place of, beside nothing and an empty file. */
export interface Replaceable {
  readonly what: string
  readonly start: Uint8Array
}

/** @throws {CliError} file-exists, file-not-writable */
export function writeOutput(path: string, bytes: Uint8Array, replaceable: Replaceable): void {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    if (found === undefined) replace(path, bytes, 0o666)
    // A device or a pipe is written to, and stays what it is.
    else if (!found.isFile()) writeFileSync(path, bytes)
    else {
      checkReplaceable(path, found, replaceable)
      accessSync(path, constants.W_OK)
      replace(realpathSync(path), bytes, found.mode & 0o777)
    }
  } catch (cause) {
    throw cause instanceof CliError ? cause : notWritable(path, cause)
  }
}

/** What holds the place is there until all of the new file is on disk. */
function replace(path: string, bytes: Uint8Array, mode: number): void {
  const temporary = join(dirname(path), `.casemate-${process.pid}-${randomBytes(8).toString('hex')}`)
  try {
    const file = openSync(temporary, 'wx', mode)
    try {
      writeFileSync(file, bytes)
      if (mode !== 0o666) fchmodSync(file, mode)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

function checkReplaceable(path: string, { size }: Stats, { what, start }: Replaceable): void {
  if (size === 0) return
  const file = openSync(path, constants.O_RDONLY)
  try {
    const found = Buffer.alloc(start.length)
    if (readSync(file, found) === start.length && found.equals(start)) return
  } finally {
    closeSync(file)
  }
  throw new CliError('file-exists', `${path} is there already, is not ${what}, and is left as it is`, {
    hint: 'name another file, or delete this one first',
  })
}

/** Makes a file that is not there yet, all of it or nothing. @throws {CliError} file-exists, file-not-writable */
export function writeNew(path: string, content: string | Uint8Array, mode: number): void {
  try {
    const file = openSync(path, 'wx', mode)
    try {
      writeFileSync(file, content)
      fsyncSync(file)
    } catch (error) {
      rmSync(path, { force: true })
      throw error
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw notWritable(path, cause)
    throw new CliError('file-exists', `${path} is there already, and is left as it is`, { cause })
  }
}
