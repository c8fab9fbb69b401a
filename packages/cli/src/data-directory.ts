// What this command leaves in a data directory beside the broker's own files: all of it the tour's.

import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Where a broker started here keeps its data. */
export const DEFAULT_DATA_DIRECTORY = '.casemate'

/** In the data directory; written by the tour only, mode 0600, so that a newcomer's next command just works. */
export const TOKEN_FILE = 'admin-token'

/** Where the tour keeps the simulator, below the data directory. */
export const SIMULATOR_DIRECTORY = 'simulator'

/** A simulator's files: both vendors' private halves, and what `casemate verify --trust` reads. */
export const SIMULATOR_FILES = { intel: 'intel.json', amd: 'amd.json', trust: 'public-trust.json' } as const

/** True where a simulator was made before. */
export function simulatorExists(directory: string): boolean {
  return existsSync(join(directory, SIMULATOR_FILES.intel))
}
