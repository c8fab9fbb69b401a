// Keeps V8's compiled code of this program between runs: a start takes half the time and memory. Code is loaded from
// there without a look at its source, so the directory has to be this user's alone; where it is not, there is none.
import { mkdirSync, statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Group and others may write. */
const WRITABLE_BY_OTHERS = 0o022

/** Below the user's cache directory (XDG); NODE_COMPILE_CACHE names another, NODE_DISABLE_COMPILE_CACHE none. */
export function keepCompiledCode() {
  try {
    const directory = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'casemate', 'code')
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const { uid, mode } = statSync(directory)
    const own =
      process.getuid === undefined || (uid === process.getuid() && (mode & WRITABLE_BY_OTHERS) === 0)
    if (own) enableCompileCache(directory)
  } catch {
    // A read-only or missing home: the program is compiled anew.
  }
}
