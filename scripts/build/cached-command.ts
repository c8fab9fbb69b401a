// The command, built for the tests: again only where something that goes into it has changed since.
import { createHash } from 'node:crypto'
import { globSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleCommand, ENTRY } from './command.ts'

const SOURCES = [
  'package-lock.json',
  'packages/*/package.json',
  'packages/*/{assembly,bin,src}/**/*',
  'scripts/build/*.ts',
]
/** What the folder was built from. */
const MARK = 'built-from'

/** The file that starts it. @throws {Error} what esbuild says */
export async function cachedCommand(root: string): Promise<string> {
  const folder = join(root, 'node_modules', '.cache', 'casemate')
  const wanted = digestOf(root)
  if (markOf(folder) !== wanted) {
    const draft = `${folder}-${process.pid}`
    try {
      await bundleCommand(root, draft)
      writeFileSync(join(draft, MARK), wanted)
      rmSync(folder, { recursive: true, force: true })
      renameSync(draft, folder)
    } finally {
      rmSync(draft, { recursive: true, force: true })
    }
  }
  return join(folder, ENTRY)
}

function digestOf(root: string): string {
  const hash = createHash('sha256').update(process.version)
  for (const path of globSync(SOURCES, { cwd: root }).toSorted()) {
    const file = join(root, path)
    if (statSync(file).isFile()) hash.update(`${path}\0`).update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}

/** Null where nothing is built, or not to its end. */
function markOf(folder: string): string | null {
  try {
    return readFileSync(join(folder, MARK), 'utf8')
  } catch {
    return null
  }
}
