// Whether other users of this machine can read a file with a secret that somebody else put there. Container runtimes mount
// secrets readable for all, on a file system in memory and in a folder that nobody else writes to: there, nobody else is.

import { existsSync, realpathSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

const READABLE_BY_OTHERS = 0o004
const SEARCHABLE_BY_OTHERS = 0o001
const WRITABLE_BY_OTHERS = 0o002
/** statfs(2): tmpfs and ramfs. */
const IN_MEMORY: readonly number[] = [0x01021994, 0x858458f6]

/** Its mode, as `644`, where others can read it; null where they cannot, or where it is a mounted secret. */
export function exposedMode(path: string, isInMemory = onMemory): string | null {
  // Whoever reads it says that it is not there.
  if (process.platform === 'win32' || !existsSync(path)) return null
  const file = realpathSync(path)
  const { mode } = statSync(file)
  if ((mode & READABLE_BY_OTHERS) === 0 || !isReachable(file)) return null
  const folder = dirname(file)
  const isMounted = isInMemory(folder) && (statSync(folder).mode & WRITABLE_BY_OTHERS) === 0
  return isMounted ? null : (mode & 0o777).toString(8)
}

/** One folder that others may not search keeps them from all that is in it. */
function isReachable(file: string): boolean {
  const folder = dirname(file)
  if ((statSync(folder).mode & SEARCHABLE_BY_OTHERS) === 0) return false
  return folder === dirname(folder) || isReachable(folder)
}

function onMemory(folder: string): boolean {
  return IN_MEMORY.includes(statfsSync(folder).type)
}
