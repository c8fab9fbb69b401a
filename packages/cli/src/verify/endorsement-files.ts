// The endorsements among the files and directories that a person names. An endorsement can only add what the vendor
// signed, so that a bad file is worth a warning and no more, as long as another one supplies something.

import {
  type EndorsementSource,
  type Endorsements,
  mergeEndorsements,
  NO_ENDORSEMENTS,
  Refusal,
  readEndorsements,
  recogniseEndorsements,
} from '@casemate/evidence'
import { CliError } from '../failure/cli-error.ts'
import { filesAt, readBytes } from '../files/input-files.ts'

/** More warnings than these are counted only. */
const MAX_WARNINGS = 3

/** A file, and what it holds. */
interface Found {
  readonly source: EndorsementSource
  readonly endorsements: Endorsements
}

/** Reads all of them; `warn` is told what was left out. @throws {CliError | Refusal} if nothing at all was found */
export function endorsementsAt(paths: readonly string[], warn: (line: string) => void): Endorsements {
  if (paths.length === 0) return NO_ENDORSEMENTS
  return mergeEndorsements(...found(paths, warn).map(({ endorsements }) => endorsements))
}

/** The files that hold some, to be sent as they are. @throws {CliError | Refusal} as {@link endorsementsAt} does */
export function endorsementSourcesAt(
  paths: readonly string[],
  warn: (line: string) => void,
): readonly EndorsementSource[] {
  return paths.length === 0 ? [] : found(paths, warn).map(({ source }) => source)
}

function found(paths: readonly string[], warn: (line: string) => void): readonly Found[] {
  const all: Found[] = []
  const failures: (Refusal | CliError)[] = []
  let cut = false
  for (const path of paths) {
    const { files, isDirectory, cut: more } = filesAt(path)
    cut ||= more
    for (const name of files) {
      const one = attempt(() => endorsementsOf(name, isDirectory), failures)
      if (one !== null) all.push(one)
    }
  }
  if (all.length === 0) throw nothingFound(paths, failures)
  for (const { message } of failures.slice(0, MAX_WARNINGS)) warn(`warning: left out: ${message}`)
  const others = failures.length - MAX_WARNINGS
  if (others > 0) warn(`warning: left out: ${others} more malformed file${others === 1 ? '' : 's'}`)
  if (cut) warn('warning: the directory holds more than is read; name a narrower one')
  return all
}

/** A file that is named has to be an endorsement; in a directory there may be all sorts. */
function endorsementsOf(name: string, inDirectory: boolean): Found | null {
  const source: EndorsementSource = { name, bytes: readBytes(name) }
  const endorsements = inDirectory ? recogniseEndorsements(source) : readEndorsements([source])
  return endorsements && { source, endorsements }
}

function attempt(read: () => Found | null, failures: (Refusal | CliError)[]): Found | null {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Refusal) && !(error instanceof CliError)) throw error
    failures.push(error)
    return null
  }
}

/** One bad file explains itself; of many, how many they are is what helps. */
function nothingFound(paths: readonly string[], failures: readonly (Refusal | CliError)[]): Error {
  const [first] = failures
  if (first !== undefined && failures.length === 1) return first
  const bad = failures.length === 0 ? '' : `; ${failures.length} are malformed, such as ${first?.message}`
  return new CliError('file-malformed', `no endorsements in ${paths.join(', ')}${bad}`, {
    hint: 'want TCB info, enclave identities, revocation lists or certificates, in files or directories',
  })
}
