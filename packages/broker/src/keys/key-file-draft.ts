// Writing the key file: whole and synced beside it, then renamed into its place, so that a crash leaves one or the other. What
// a crash left beside it never counted.

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { StartError } from '../errors.ts'
import type { KeyFileContent } from './key-file.ts'

/** A key file that is whole and synced, and not yet the one that counts. */
export interface KeyFileDraft {
  readonly path: string
  readonly text: string
  /** Durable when it returns: from here on it is the key file. Where it cannot be, no draft is left. */
  commit(): void
  discard(): void
}

/** Writes beside the key file; a failure leaves nothing. */
export function draftKeyFile(path: string, content: KeyFileContent): KeyFileDraft {
  const file = fileItself(path)
  const draft = draftOf(file)
  const text = `${JSON.stringify(content, null, 2)}\n`
  const discard = () => rmSync(draft, { force: true })
  // A crash may have left one; `wx` then makes it anew, with this mode and through no link.
  discard()
  try {
    const handle = openSync(draft, 'wx', 0o600)
    try {
      // Unlike writeSync, it writes on until all is written, or throws.
      writeFileSync(handle, text)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
  } catch (error) {
    discard()
    throw error
  }
  const commit = () => {
    try {
      replaceBy(draft, file)
    } catch (error) {
      discard()
      throw error
    }
  }
  return { path: draft, text, commit, discard }
}

/** Where a link leads: to replace the link would leave the file behind it as it was, with what protected it then. */
function fileItself(path: string): string {
  return existsSync(path) ? realpathSync(path) : path
}

function replaceBy(draft: string, path: string): void {
  renameSync(draft, path)
  // Windows has no handle of a directory to sync.
  if (process.platform === 'win32') return
  const directory = openSync(dirname(path), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** Where a crash leaves what was being written. */
function draftOf(file: string): string {
  return `${file}.new`
}

/** The draft that a crash left beside a key file; null where there is none. */
export function findLeftover(path: string): string | null {
  const draft = draftOf(fileItself(path))
  return existsSync(draft) ? draft : null
}

/**
 * Removes the draft that a crash left: it never counted, and may hold keys in the clear.
 * @throws {StartError} `kek-unsafe` where it cannot be removed
 */
export function removeLeftover(path: string): void {
  const leftover = findLeftover(path)
  if (leftover === null) return
  try {
    rmSync(leftover)
  } catch (cause) {
    throw new StartError('kek-unsafe', `${leftover}, left by a write that was cut off, cannot be removed`, {
      hint: 'remove it: it may hold the key-encryption key in the clear',
      cause,
    })
  }
}
