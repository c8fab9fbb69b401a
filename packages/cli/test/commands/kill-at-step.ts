// Preloaded into a command: ends it without a word right before the n-th call that touches the key file or its draft, or
// before the one that renames (`rename`), or the one after that (`renamed`).
// CASEMATE_KILL_AT is no variable of the command, which would refuse it: it is taken out of the environment here.

import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const last = process.env['CASEMATE_KILL_AT']
delete process.env['CASEMATE_KILL_AT']
const files = new Set<unknown>()
let count = 0
let isRenamed = false

for (const name of ['rmSync', 'openSync', 'writeFileSync', 'fsyncSync', 'closeSync', 'renameSync'] as const) {
  const original = fs[name] as (...args: unknown[]) => unknown
  fs[name] = ((...args: unknown[]) => {
    const isOurs = isRenamed || args.some(arg => files.has(arg) || /kek\.json(\.new)?$/.test(String(arg)))
    if (isOurs) killAt(name)
    const result = original(...args)
    if (isOurs && name === 'openSync') files.add(result)
    if (name === 'closeSync') files.delete(args[0])
    return result
  }) as never
}
syncBuiltinESMExports()

function killAt(name: string): void {
  const isRename = name === 'renameSync'
  const reached = [`${++count}`, ...(isRename ? ['rename'] : []), ...(isRenamed ? ['renamed'] : [])]
  if (last !== undefined && reached.includes(last)) process.kill(process.pid, 'SIGKILL')
  isRenamed ||= isRename
}
