// In code that logs, `throw`, `assert` and failed checks of bounds say why, then trap.
import { log } from './platform'

export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const what = message ? message : 'abort'
  const where = file ? file : '?'
  log(`${what} (${where}:${line}:${column})`)
  unreachable()
}
