// The files that this command leaves in a data directory beside the broker's own files: the tour's, and a token that no screen showed.

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { simulatorExists } from '@casemate/enclave/simulator-files'

/** Where a broker started here keeps its data. */
export const DEFAULT_DATA_DIRECTORY = '.casemate'

/** In the data directory, mode 0600: the token of the tour, so that the next command just works, or of a start without a screen. */
export const TOKEN_FILE = 'admin-token'

/** Where the tour keeps the simulator, below the data directory. */
export const SIMULATOR_DIRECTORY = 'simulator'

/** In the data directory: the simulated sealing root, made by whatever seals first. */
export const SEALING_ROOT_FILE = 'sealing-root'

/** Where the tour leaves its quote, receipt and key, below the data directory. */
export const TOUR_DIRECTORY = 'tour'

/** What the tour leaves there, in this order: with the last of them it is over. */
export const TOUR_FILES = { quote: 'quote.bin', receipt: 'receipt.json', key: 'log.key' } as const

/** There from before the tour touches anything until it has come to its end. */
const UNFINISHED = 'unfinished'

/** `other`: a broker keeps its data there that has nothing to do with the tour. */
export type TourState = 'fresh' | 'unfinished' | 'finished' | 'other'

/** How far the tour has come in a data directory. */
export function tourState(dataDir: string): TourState {
  const tour = join(dataDir, TOUR_DIRECTORY)
  if (existsSync(join(tour, UNFINISHED))) return 'unfinished'
  const finished = existsSync(join(tour, TOUR_FILES.key))
  if (finished && simulatorExists(join(dataDir, SIMULATOR_DIRECTORY))) return 'finished'
  return existsSync(join(dataDir, 'lock')) ? 'other' : 'fresh'
}

/** From here on a start that fails, or is killed, leaves a tour that the next one takes up again. */
export function beginTour(dataDir: string): void {
  mkdirSync(join(dataDir, TOUR_DIRECTORY), { recursive: true, mode: 0o700 })
  writeFileSync(join(dataDir, TOUR_DIRECTORY, UNFINISHED), '')
}

/** The tour is over, or given up for a broker without it. */
export function endTour(dataDir: string): void {
  rmSync(join(dataDir, TOUR_DIRECTORY, UNFINISHED), { force: true })
}

/** Writes a file as a whole or not at all, whenever the process is killed. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const draft = `${path}.new`
  rmSync(draft, { force: true })
  writeFileSync(draft, content, { mode: 0o600, flush: true })
  renameSync(draft, path)
}
