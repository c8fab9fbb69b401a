// Ends the workload where this process is killed and can do nothing any more: a shell that waits for the end of a pipe
// which only we hold. Without us there is nobody to renew the lease, nor to stop what outlives it.

import { type ChildProcess, spawn } from 'node:child_process'
import { AgentError } from '../errors.ts'

/**
 * Told the process group, which it repeats once it has it, `none` if there is none any more, and `end`. A line that
 * was cut off by our end is none to `read`. Nothing that it writes may end it: its reader may be gone.
 */
const SCRIPT = `
trap '' HUP INT QUIT PIPE TERM TSTP USR1 USR2
group=
echo ready
while read -r line; do
  case $line in
    end) exit 0 ;;
    none) group= ;;
    *) group=$line; echo "$line" ;;
  esac
done
if [ -n "$2" ]; then rm -rf "$2"; fi
if [ -n "$group" ]; then
  left=$1
  kill -TERM "-$group" 2>/dev/null
  kill -CONT "-$group" 2>/dev/null
  while [ "$left" -gt 0 ] && kill -0 "-$group" 2>/dev/null; do
    sleep 1
    left=$((left - 1))
  done
  kill -KILL "-$group" 2>/dev/null
  if [ -n "$2" ]; then rm -rf "$2"; fi
fi
`

export interface WatchdogOptions {
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number
  /** Removed with the workload; null if there is none. */
  readonly directory: string | null
  /** Told that it has ended although nobody asked it to. */
  readonly onLost: () => void
}

/** A shell that outlives this process, and ends the workload then. */
export class Watchdog {
  readonly #shell: ChildProcess
  #released = false
  #ended = false

  /** Resolves once it waits for our end. Null if there is no shell. */
  static async start(options: WatchdogOptions): Promise<Watchdog | null> {
    const grace = String(Math.ceil(options.graceMs / 1000))
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'casemate-watchdog', grace, options.directory ?? ''], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: '/usr/bin:/bin' },
      cwd: '/',
    })
    const running = await new Promise<boolean>(resolve => {
      shell.stdout.once('data', () => resolve(true))
      shell.once('error', () => resolve(false))
      shell.once('close', () => resolve(false))
    })
    return running ? new Watchdog(shell, options.onLost) : null
  }

  private constructor(shell: ChildProcess, onLost: () => void) {
    this.#shell = shell
    // Whoever killed it has the right to; a write to it must not end us.
    shell.on('error', () => undefined)
    shell.stdin?.on('error', () => undefined)
    shell.once('close', () => {
      this.#ended = true
      if (!this.#released) onLost()
    })
    shell.unref()
  }

  /** Resolves once it has said that it ends this group. @throws {AgentError} guard-lost */
  async guard(group: number): Promise<void> {
    const { stdin, stdout } = this.#shell
    const said = new Promise<string>(resolve => {
      stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()))
      this.#shell.once('close', () => resolve(''))
    })
    if (!this.#ended) stdin?.write(`${group}\n`)
    if (!this.#ended && (await said) === `${group}\n`) return
    throw new AgentError(
      'guard-lost',
      'the process that would end the command after this one has ended itself',
      {
        hint: 'did somebody kill it, or is memory short? The command was not started',
      },
    )
  }

  /** There is no group to end for now. */
  forget(): void {
    this.#shell.stdin?.write('none\n')
  }

  /** There is nothing left to do. */
  release(): void {
    this.#released = true
    this.#shell.stdin?.end('end\n')
  }
}
