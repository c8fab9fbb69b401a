// Errors of the operating system, of SQLite and of Node with which the machine is at fault, and not Casemate.

import type { Failure } from './failure.ts'

interface MachineFault extends Pick<Failure, 'exitCode' | 'code' | 'hint'> {
  /** Names of the operating system and of Node, and primary result codes of SQLite. */
  readonly on: readonly unknown[]
}

const FAULTS: readonly MachineFault[] = [
  { on: ['ENOSPC', 'EDQUOT', 13], exitCode: 3, code: 'disk-full', hint: 'make room, and try again' },
  { on: ['EIO', 10], exitCode: 3, code: 'disk-failed', hint: 'look at the disk' },
  {
    on: ['EACCES', 'EROFS', 8, 14],
    exitCode: 2,
    code: 'file-not-accessible',
    hint: 'may this user read and write there?',
  },
  {
    // What is loaded when it is needed; of the rest, the entry says it (bin/casemate.js).
    on: ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED'],
    exitCode: 3,
    code: 'installation-incomplete',
    hint: 'files are missing, or of another version than the rest: npm ci in the checkout brings them; elsewhere, install the command anew',
  },
]

/** Null if it says nothing of the kind. */
export function machineFailure(thrown: unknown): Failure | null {
  if (!(thrown instanceof Error)) return null
  const errcode: unknown = Reflect.get(thrown, 'errcode')
  // Extended result codes of SQLite have the primary one in their last byte.
  const said: unknown = typeof errcode === 'number' ? errcode & 0xff : Reflect.get(thrown, 'code')
  const found = FAULTS.find(({ on }) => on.includes(said))
  if (found === undefined) return null
  const { on: _, ...fault } = found
  // Where Node lists who required what, the first line says what is missing.
  return { ...fault, message: thrown.message.split('\n', 1)[0] ?? '' }
}
