// Endorsements from files and directories that the configuration names, recognised by content. A file that is named
// must be one; in a directory, what is none is passed over.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Endorsements,
  mergeEndorsements,
  NO_ENDORSEMENTS,
  readEndorsements,
  recogniseEndorsements,
} from '@casemate/evidence'
import { StartError } from '../errors.ts'

/** @throws {StartError} `config-invalid` for a path that cannot be read, or holds a broken endorsement */
export function readEndorsementPaths(paths: readonly string[]): Endorsements {
  const bags = paths.flatMap(path => {
    try {
      return statSync(path).isDirectory() ? readDirectory(path) : [readEndorsements([readSource(path)])]
    } catch (error) {
      const hint = error instanceof Error ? error.message : 'see the cause'
      throw new StartError('config-invalid', `endorsementPaths: ${path} cannot be used`, {
        hint,
        cause: error,
      })
    }
  })
  return mergeEndorsements(NO_ENDORSEMENTS, ...bags)
}

function readDirectory(path: string): Endorsements[] {
  return readdirSync(path)
    .toSorted()
    .map(name => join(path, name))
    .filter(file => statSync(file).isFile())
    .map(file => recogniseEndorsements(readSource(file)))
    .filter(bag => bag !== null)
}

function readSource(name: string) {
  return { name, bytes: readFileSync(name) }
}
