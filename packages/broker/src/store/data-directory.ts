// The data directory: private to its owner, and used by one broker at a time.
// The lock is SQLite's own file lock on a separate file, so that a killed process leaves nothing behind.

import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StartError } from '../errors.ts'

/** Held until closed or the process ends. */
export interface DirectoryLock {
  release(): void
}

/**
 * Makes the directory with mode 0700, or refuses one that others may enter.
 * @throws {StartError} `data-directory-unsafe`
 */
export function prepareDataDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const stat = statSync(path)
  if (process.platform === 'win32') return
  if (stat.uid !== process.getuid?.()) {
    throw new StartError('data-directory-unsafe', `${path} belongs to user ${stat.uid}`, {
      hint: 'run the broker as the owner of its data directory',
    })
  }
  if ((stat.mode & 0o077) !== 0) {
    throw new StartError(
      'data-directory-unsafe',
      `${path} has mode ${(stat.mode & 0o777).toString(8)}, want 700`,
      {
        hint: `chmod 700 ${path}`,
      },
    )
  }
}

/** @throws {StartError} `data-directory-in-use` where another broker holds it */
export function lockDataDirectory(path: string): DirectoryLock {
  const file = join(path, 'lock')
  const db = new DatabaseSync(file, { timeout: 0 })
  try {
    chmodSync(file, 0o600)
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    throw new StartError('data-directory-in-use', `another broker is running on ${path}`, {
      hint: 'stop it first, or give this one a --data-dir of its own',
      cause: error,
    })
  }
  return { release: () => db.close() }
}
