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
    on: ['ERR_MODULE_NOT_FOUND'],
    exitCode: 3,
    code: 'installation-incomplete',
    hint: 'the code is newer than what is installed: npm ci in the checkout brings the rest; elsewhere, install the command anew',
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
  return { ...fault, message: thrown.message }
}
