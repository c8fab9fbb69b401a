// The file that tests start as a process of its own: the command as it is installed, where `npm test` has built it, and else
// from its source, which needs no build but takes three times the processor time.
import { fileURLToPath } from 'node:url'

export const SOURCE = fileURLToPath(new URL('../bin/casemate.js', import.meta.url))
export const BIN = process.env['BUILT_COMMAND'] ?? SOURCE
