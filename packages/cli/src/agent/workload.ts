// The command that is run: a process group of its own, so that what it started goes when it goes. SIGTERM, and after a
// grace SIGKILL, for all of it.

import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliError } from '../failure.ts'

export interface WorkloadOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number
  /** Told the process group before anything else happens, so that nobody is killed in between. */
  readonly guard: (group: number) => void
}

/** How often a group that was told to go is looked at. */
const LOOK_MS = 20

/** After SIGKILL nothing can stay but what nobody reaps, as where the first process of a container does not. */
const REAPED_MS = 2_000

/** A signal's number is added to this, as shells do. */
const SIGNALLED = 128

export class Workload {
  /** Resolves with its exit code, or 128 and the signal's number, once nothing of its group is left. */
  readonly ended: Promise<number>
  readonly #child: ChildProcess
  readonly #graceMs: number
  #stopping: Promise<void> | null = null

  /** @throws {CliError} command-missing, command-not-executable */
  static async start({ command, args, env, graceMs, guard }: WorkloadOptions): Promise<Workload> {
    // Its streams are ours; no other descriptor is inherited.
    const child = spawn(command, args, { env, stdio: 'inherit', detached: true })
    if (child.pid !== undefined) guard(child.pid)
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', cause => reject(notStarted(command, cause)))
    })
    return new Workload(child, graceMs)
  }

  private constructor(child: ChildProcess, graceMs: number) {
    this.#child = child
    this.#graceMs = graceMs
    this.ended = this.#end()
  }

  get group(): number {
    return this.#child.pid ?? 0
  }

  /** Passes a signal on: to the whole group what ends or asks, to the command alone what only it may know. */
  signal(signal: NodeJS.Signals): void {
    if (signal === 'SIGUSR1' || signal === 'SIGUSR2') this.notify(signal)
    else this.#kill(signal)
  }

  /** Sends a signal to the command alone. */
  notify(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends the whole group. Resolves when nothing of it is left. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #end(): Promise<number> {
    const code = await new Promise<number>(resolve => {
      this.#child.once('exit', (code, signal) => {
        resolve(code ?? SIGNALLED + (signal === null ? 0 : constants.signals[signal]))
      })
    })
    await this.stop()
    return code
  }

  async #stop(): Promise<void> {
    const deadline = performance.now() + this.#graceMs
    this.#kill('SIGTERM')
    // A stopped process (SIGSTOP) has to go on to hear it.
    this.#kill('SIGCONT')
    while (this.#kill(0) && performance.now() < deadline) await sleep(LOOK_MS)
    this.#kill('SIGKILL')
    while (this.#kill(0) && performance.now() < deadline + REAPED_MS) await sleep(LOOK_MS)
  }

  /** False where nothing of the group is left. */
  #kill(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-this.group, signal)
    } catch (error) {
      // Not ours any more: it has changed its user, or the group has gone.
      if (error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM')) {
        return false
      }
      throw error
    }
  }
}

function notStarted(command: string, cause: Error): CliError {
  const code = 'code' in cause ? cause.code : ''
  if (code === 'ENOENT') {
    return new CliError('command-missing', `there is no command ${command}`, {
      hint: 'the command and its arguments come after --',
      cause,
    })
  }
  return new CliError('command-not-executable', `${command} cannot be run: ${cause.message}`, { cause })
}
