// The data directory: private to its owner, and used by one broker at a time.
// The lock is SQLite's own file lock on a separate file, so that a killed process leaves nothing behind. It is looked at
// before each write: whoever removes the file lets a second broker in, and two would fork the log. So are the files of
// the database: what is written to one that was removed is acknowledged, and gone with the process.

import { accessSync, chmodSync, constants, mkdirSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { BrokerError, StartError } from '../errors.ts'

/** A file that some process has open: its number is not given to another one before it is closed. */
export interface PlacedFile {
  readonly path: string
  readonly dev: number
  readonly ino: number
}

/** Held until closed or the process ends, on files that are where they were. */
export interface DirectoryLock {
  /** By which another process of the same broker sees what {@link assertHeld} sees. */
  readonly files: readonly PlacedFile[]
  /**
   * A lock whose file was removed or replaced keeps nobody out any more; a database whose file was keeps nothing.
   * @throws {BrokerError} `unavailable`
   */
  assertHeld(): void
  /** From now on it holds only as long as this file, too, is where it is. */
  keepInPlace(file: string): void
  release(): void
}

/**
 * Makes the directory with mode 0700, or refuses one that others may enter or that cannot be written.
 * @throws {StartError} `data-directory-unsafe`, `data-directory-unwritable`
 */
export function prepareDataDirectory(path: string): void {
  makeDirectory(path)
  if (process.platform === 'win32') return
  checkPrivate(path)
  checkWritable(path)
}

function makeDirectory(path: string): void {
  try {
    makeLevels(resolve(path))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new StartError('data-directory-unsafe', `${path} is not a directory`, {
        hint: 'name a directory of its own with --data-dir DIR',
        cause: error,
      })
    }
    throw unwritable(path, error)
  }
}

/** One level at a time: Node's own recursion never ends where a parent lets nothing be made in it, as /proc does. */
function makeLevels(path: string): void {
  if (isDirectory(path)) return
  const parent = dirname(path)
  if (parent !== path) makeLevels(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process may have made it just now.
    if (!isDirectory(path)) throw error
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** All that this user may not write: the directory itself, and the files in it (its folders are not the broker's). */
function checkWritable(path: string): void {
  let checked = path
  try {
    accessSync(checked, constants.R_OK | constants.W_OK | constants.X_OK)
    for (const file of readdirSync(path, { withFileTypes: true })) {
      if (!file.isFile() || !/^(lock|ledger-mark|casemate\.db)/.test(file.name)) continue
      checked = join(path, file.name)
      accessSync(checked, constants.R_OK | constants.W_OK)
    }
  } catch (error) {
    throw unwritable(checked, error)
  }
}

function unwritable(path: string, cause: unknown): StartError {
  return new StartError('data-directory-unwritable', `${path} cannot be written by this user`, {
    hint: 'the broker writes its data there: give it the rights, or another directory with --data-dir DIR',
    cause,
  })
}

function checkPrivate(path: string): void {
  const stat = statSync(path)
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
  const files = [placed(file)]
  return {
    files,
    assertHeld: () => assertInPlace(files),
    keepInPlace: name => void files.push(placed(name)),
    release: () => db.close(),
  }
}

function placed(path: string): PlacedFile {
  const { dev, ino } = statSync(path)
  return { path, dev, ino }
}

/**
 * Demands that each path still leads to the file that it led to; the first is the lock's.
 * @throws {BrokerError} `unavailable`
 */
export function assertInPlace([lock, ...database]: readonly PlacedFile[]): void {
  if (lock === undefined || !isInPlace(lock)) {
    throw new BrokerError(
      'unavailable',
      'the lock of the data directory was removed: this broker writes no more',
      { hint: 'see that no other broker runs on this data directory, then restart this one' },
    )
  }
  for (const file of database) if (!isInPlace(file)) throw fileLost(basename(file.path))
}

function isInPlace({ path, dev, ino }: PlacedFile): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found?.ino === ino && found.dev === dev
}

function fileLost(name: string): BrokerError {
  return new BrokerError(
    'unavailable',
    `${name} was removed or replaced while the broker runs: this broker writes no more`,
    { hint: 'see what removed it; then stop this broker, restore the newest database, and start' },
  )
}
