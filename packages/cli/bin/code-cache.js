// Keeps V8's compiled code of this program between runs: a start takes half the time and memory. Code is loaded from
// there without a look at its source, so the directory has to be this user's alone, and nobody else may put another in its
// place: as root in somebody's home, that somebody could. Where it is not, there is none.
import { mkdirSync, realpathSync, statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** Group and others may write; but not rename what is another's (S_ISVTX). */
const WRITABLE_BY_OTHERS = 0o022
const STICKY = 0o1000

/** Below the user's cache directory (XDG); NODE_COMPILE_CACHE names another, NODE_DISABLE_COMPILE_CACHE none. */
export function keepCompiledCode() {
  try {
    const directory = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'casemate', 'code')
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const real = realpathSync(directory)
    if (isOwn(real)) enableCompileCache(real)
  } catch {
    // A read-only or missing home: the program is compiled anew.
  }
}

/** Whether it is, and every directory on the way to it, which may be root's as well. */
function isOwn(directory) {
  const own = process.getuid?.()
  if (own === undefined) return true
  const { uid, mode } = statSync(directory)
  if (uid !== own || (mode & WRITABLE_BY_OTHERS) !== 0) return false
  for (let at = directory; at !== dirname(at); ) {
    at = dirname(at)
    const above = statSync(at)
    if (above.uid !== own && above.uid !== 0) return false
    if ((above.mode & WRITABLE_BY_OTHERS) !== 0 && (above.mode & STICKY) === 0) return false
  }
  return true
}
