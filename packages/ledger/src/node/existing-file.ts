// Files that need not be there: that there is none is an answer, and whatever else keeps one from being opened an error.
import { constants, openSync } from 'node:fs'

/** A handle of the file, for reading unless `flags` say otherwise; null where there is none. */
export function openExisting(path: string, flags: number = constants.O_RDONLY): number | null {
  try {
    return openSync(path, flags)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
