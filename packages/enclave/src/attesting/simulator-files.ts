// Names of a simulated platform: its files in its directory, and its code. A module of its own, so that asking whether there is one loads
// no simulator.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The public trust, which holds no key, and the first that is made of the vendors’ private halves. */
export const SIMULATOR_FILES = { trust: 'public-trust.json', first: 'intel.json' } as const

/** A vendor’s private half, mode 0600. */
export function vendorFile(directory: string, vendor: string): string {
  return join(directory, `${vendor}.json`)
}

/** The code that a simulated machine runs unless told otherwise. */
export const DEMO_CODE = 'demo'

/** True if a simulator was made before. */
export function simulatorExists(directory: string): boolean {
  return existsSync(join(directory, SIMULATOR_FILES.first))
}
