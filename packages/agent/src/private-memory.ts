// Keeps the memory of a process that holds secrets its own: no core dump has memory in it, and no debugger is let in. The
// workload inherits the first. Of swap, which only the operator can turn off, the process tells.

import { readFileSync, writeFileSync } from 'node:fs'
import { url as debuggerUrl } from 'node:inspector'
import { AgentError } from './errors.ts'

/** core(5): no kind of memory mapping is dumped. */
const NO_MAPPINGS = '0'

/** Tells what it cannot change. @throws {AgentError} debugger-open */
export function keepMemoryPrivate(note: (line: string) => void): void {
  if (debuggerUrl() !== undefined) {
    throw new AgentError('debugger-open', 'a debugger can read this process: it was started with --inspect', {
      hint: 'without --inspect in the command line or in NODE_OPTIONS',
    })
  }
  // Without a listener this signal opens Node's debugger.
  process.on('SIGUSR1', () => undefined)
  try {
    writeFileSync('/proc/self/coredump_filter', NO_MAPPINGS)
  } catch {
    // Not Linux, or no /proc: the system's own limit on core dumps is all there is.
  }
  const swaps = readOrEmpty('/proc/swaps')
  if (hasSwap(swaps)) note('swap is on: the system may write what is in memory to a disk')
}

/** True where the text of /proc/swaps lists one; its first line is a heading. */
export function hasSwap(text: string): boolean {
  return text.trim().split('\n').length > 1
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
