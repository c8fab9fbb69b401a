// What a simulated platform is called: its files in its directory, and its code. A module of its own, so that asking whether there is one loads
// no simulator.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Both vendors' private halves, mode 0600, and the public trust, which holds no key. */
export const SIMULATOR_FILES = { intel: 'intel.json', amd: 'amd.json', trust: 'public-trust.json' } as const

/** The code that a simulated machine runs unless told otherwise. */
export const DEMO_CODE = 'demo'

/** True where a simulator was made before. */
export function simulatorExists(directory: string): boolean {
  return existsSync(join(directory, SIMULATOR_FILES.intel))
}
