// Where captured evidence lies, outside of the repository, and what a test says that needs it where it is absent.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

export const VECTORS = resolve(
  process.env['CASEMATE_VECTORS'] ?? resolve(import.meta.dirname, '../../../../shared/vectors'),
)
export const skip = existsSync(VECTORS) ? false : 'captured evidence is absent (CASEMATE_VECTORS)'
