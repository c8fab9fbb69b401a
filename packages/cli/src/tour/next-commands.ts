// Commands that the tour offers to try next.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SIMULATOR_FILES } from '@casemate/enclave/simulator-files'
import { DEFAULT_SERVER, reachable } from '../broker/connection.ts'
import {
  DEFAULT_DATA_DIRECTORY,
  SIMULATOR_DIRECTORY,
  TOUR_DIRECTORY,
  TOUR_FILES,
} from '../broker/data-directory.ts'
import { pasted, shellWord } from '../typed/shell-word.ts'
import { TOUR_SECRET } from './step.ts'

/** Commands that work as they stand, wherever the data is and the broker listens: those whose files are there. */
export function nextCommands(dataDir: string, url: string): readonly (readonly [string, string])[] {
  const at = (...names: string[]): string => join(dataDir, ...names)
  const environment = dataDir === DEFAULT_DATA_DIRECTORY ? '' : `CASEMATE_DATA_DIR=${shellWord(dataDir)} `
  const server = url === DEFAULT_SERVER ? '' : ` --server ${shellWord(reachable(url))}`
  const quote = at(TOUR_DIRECTORY, TOUR_FILES.quote)
  const receipt = at(TOUR_DIRECTORY, TOUR_FILES.receipt)
  const key = at(TOUR_DIRECTORY, TOUR_FILES.key)
  const trust = at(SIMULATOR_DIRECTORY, SIMULATOR_FILES.trust)
  const commands = [
    {
      files: [trust],
      what: 'be the workload: attest, and fetch the secret (add --code other to be refused)',
      command: environment + pasted(`secret get ${TOUR_SECRET}${server}`),
    },
    {
      files: [quote, trust],
      what: 'look at the evidence, check by check, and at why a real policy would refuse it',
      command: pasted(`verify ${shellWord(quote)} --trust ${shellWord(trust)}`),
    },
    {
      files: [receipt, key],
      what: 'be the auditor: check the receipt of the release, offline',
      command: pasted(`log verify ${shellWord(receipt)} --key ${shellWord(key)}`),
    },
  ]
  return commands
    .filter(({ files }) => files.every(file => existsSync(file)))
    .map(({ what, command }) => [what, command])
}
