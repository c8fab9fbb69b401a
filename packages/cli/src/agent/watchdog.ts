// Ends the workload where this process is killed and can do nothing any more: a shell that waits for the end of a pipe
// which only we hold. Without us there is nobody to renew the lease, nor to stop what outlives it.
// LIMIT: killed between the start of the command and our next instruction, which a busy machine can make
// milliseconds, we have not named its group yet, and it lives on without a lease. Its files are removed all the same.

import { type ChildProcess, spawn } from 'node:child_process'

/** Told the process group, and the directory to remove; `end` when there is nothing left to do. */
const SCRIPT = `
trap '' HUP INT QUIT TERM USR1 USR2
group=
while read -r line; do
  case $line in
    end) exit 0 ;;
    *) group=$line ;;
  esac
done
if [ -n "$2" ]; then rm -rf "$2"; fi
if [ -n "$group" ]; then
  kill -TERM "-$group" 2>/dev/null
  sleep "$1"
  kill -KILL "-$group" 2>/dev/null
fi
`

export interface WatchdogOptions {
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number
  /** Removed with the workload; null where there is none. */
  readonly directory: string | null
}

export class Watchdog {
  readonly #shell: ChildProcess

  /** Null where there is no shell. */
  static async start({ graceMs, directory }: WatchdogOptions): Promise<Watchdog | null> {
    const grace = String(Math.ceil(graceMs / 1000))
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'casemate-watchdog', grace, directory ?? ''], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: '/usr/bin:/bin' },
      cwd: '/',
    })
    const running = await new Promise<boolean>(resolve => {
      shell.once('spawn', () => resolve(true))
      shell.once('error', () => resolve(false))
    })
    return running ? new Watchdog(shell) : null
  }

  private constructor(shell: ChildProcess) {
    this.#shell = shell
    // Whoever killed it has the right to; a write to it must not end us.
    shell.on('error', () => undefined)
    shell.stdin?.on('error', () => undefined)
    shell.unref()
  }

  /** From now on this group is to be ended. */
  guard(group: number): void {
    this.#shell.stdin?.write(`${group}\n`)
  }

  /** There is nothing left to do. */
  release(): void {
    this.#shell.stdin?.end('end\n')
  }
}
