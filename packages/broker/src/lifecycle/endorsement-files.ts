// Endorsements from files and directories that the configuration names, recognised by content. A file that is named
// must be one; in a directory, what is none is passed over, unless it was one when it was read before. So is a name that
// begins with a dot, as editors and half of a mount have; a link that leads nowhere was meant to be one.

import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Endorsements,
  mergeEndorsements,
  NO_ENDORSEMENTS,
  readEndorsements,
  recogniseEndorsements,
} from '@casemate/evidence'
import { readWithin } from '@casemate/evidence/node'
import { StartError } from '../errors.ts'

/** The largest revocation lists have some hundred KiB. */
const LIMIT_BYTES = 4 * 1024 * 1024

/** What was read, and from which files: SHA-256 of the content by path. */
interface Read {
  readonly endorsements: Endorsements
  readonly files: ReadonlyMap<string, string>
}

const NOTHING: Read = { endorsements: NO_ENDORSEMENTS, files: new Map() }

/** The endorsements in force: those that the starter gave, and those of the files. */
export class LoadedEndorsements {
  readonly #given: Endorsements
  #read: Read
  #all: Endorsements

  /** @throws {StartError} `config-invalid`, naming the file that cannot be read, or is a broken endorsement */
  constructor(given: Endorsements, paths: readonly string[]) {
    this.#given = given
    this.#read = readPaths(paths, NOTHING)
    this.#all = mergeEndorsements(given, this.#read.endorsements)
  }

  /** For one verification: what is replaced meanwhile counts for the next. */
  get current(): Endorsements {
    return this.#all
  }

  /** How many files they are from. */
  get fileCount(): number {
    return this.#read.files.size
  }

  /** Reads all of it again; false where nothing has changed. @throws {StartError} as above: all stays as it was */
  reload(paths: readonly string[]): boolean {
    const read = readPaths(paths, this.#read)
    if (isSame(read.files, this.#read.files)) return false
    this.#read = read
    this.#all = mergeEndorsements(this.#given, read.endorsements)
    return true
  }
}

function isSame(one: Read['files'], other: Read['files']): boolean {
  return one.size === other.size && [...one].every(([path, digest]) => other.get(path) === digest)
}

function readPaths(paths: readonly string[], before: Read): Read {
  const files = new Map<string, string>()
  const bags = paths.flatMap(path => {
    const found = at(path, () => filesAt(path))
    return found.flatMap(file => {
      const bytes = at(file, () => readWithin(file, LIMIT_BYTES))
      const source = { name: file, bytes }
      const bag = at(file, () => (file === path ? readEndorsements([source]) : recogniseEndorsements(source)))
      if (bag === null) return refuseSpoilt(file, before)
      files.set(file, createHash('sha256').update(bytes).digest('hex'))
      return [bag]
    })
  })
  return { endorsements: mergeEndorsements(NO_ENDORSEMENTS, ...bags), files }
}

function filesAt(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .filter(name => !name.startsWith('.'))
    .toSorted()
    .map(name => join(path, name))
    .filter(file => at(file, () => isFile(file)))
}

/** False for what has gone since the names were read, such as a draft that was renamed. */
function isFile(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found !== undefined) return found.isFile()
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false
  throw new StartError('config-invalid', `endorsementPaths: ${path} is a link that leads nowhere`, {
    hint: 'mend the link, or remove it; a file whose name begins with a dot is passed over',
  })
}

/** Half of a file that is being written is no endorsement, and must not pass for one that was taken away. */
function refuseSpoilt(file: string, before: Read): [] {
  if (!before.files.has(file)) return []
  throw new StartError(
    'config-invalid',
    `endorsementPaths: ${file} was an endorsement, and is none any more`,
    {
      hint: 'write files whole: under another name, and renamed when they are complete',
    },
  )
}

function at<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof StartError) throw error
    const hint = error instanceof Error ? error.message : 'see the cause'
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new StartError('config-invalid', `endorsementPaths: ${path} cannot be used${code}`, {
      hint,
      cause: error,
    })
  }
}
