// Where captured evidence lies, outside of the repository, and what a test says that needs it where it is absent.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

export const VECTORS = resolve(
  process.env['CASEMATE_VECTORS'] ?? resolve(import.meta.dirname, '../../../../shared/vectors'),
)

/** What `t.skip` says where they, or a folder of them, are absent; false where they are there. */
export function skipWithout(folder = ''): string | false {
  return existsSync(resolve(VECTORS, folder)) ? false : 'captured evidence is absent (CASEMATE_VECTORS)'
}

export const skip = skipWithout()
