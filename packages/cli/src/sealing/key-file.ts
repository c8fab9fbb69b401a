// Data keys in files: 32 random bytes for their owner alone, to be stored in the broker as they are.

import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import { DATA_KEY_SIZE, EnclaveError, openBrokerRoot, type SealingRoot } from '@casemate/enclave'
import { CliError } from '../failure/cli-error.ts'
import { notReadable, notWritable } from '../files/input-files.ts'
import { writeNew } from '../files/output-files.ts'
import { shellWord } from '../typed/shell-word.ts'

/** The root of a key file. @throws {CliError} file-not-readable, key-unsafe @throws {EnclaveError} root-invalid */
export function readKeyFile(path: string): SealingRoot {
  const file = opened(path)
  // One byte more, to see a file that is too long.
  const key = Buffer.alloc(DATA_KEY_SIZE + 1)
  try {
    const { mode } = fstatSync(file)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new CliError('key-unsafe', `${path} has mode ${(mode & 0o777).toString(8)}, want 600`, {
        hint: `chmod 600 ${shellWord(path)}, and think about who may have read it`,
      })
    }
    const size = readSync(file, key)
    if (size <= DATA_KEY_SIZE) return openBrokerRoot({ path, key: key.subarray(0, size) })
    throw new EnclaveError('root-invalid', `${path} is longer than a key of ${DATA_KEY_SIZE} bytes`)
  } finally {
    key.fill(0)
    closeSync(file)
  }
}

/** Makes one if there is none, on disk before anything is sealed with it. @throws {CliError} file-exists, file-not-writable */
export function createKeyFile(path: string): void {
  const key = randomBytes(DATA_KEY_SIZE)
  try {
    writeNew(path, key, 0o600)
    if (process.platform !== 'win32') syncDirectory(dirname(path))
  } catch (cause) {
    if (!(cause instanceof CliError)) throw notWritable(path, cause)
    if (cause.code !== 'file-exists') throw cause
    throw new CliError('file-exists', `${path} exists, and what is sealed with its key needs it`, {
      hint: 'without --new-key it is used; for a new one, name another file',
      cause,
    })
  } finally {
    key.fill(0)
  }
}

function opened(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (cause) {
    throw notReadable(path, cause)
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
