// The command that is run: a process group of its own, so that what it started goes when it goes. SIGTERM, and after a
// grace SIGKILL, for all of it. It begins as our gate, which becomes the command when it is told to and ends when we are
// gone before: nothing of the command runs while nobody guards its group.

import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { processCode } from '@casemate/enclave/own-code'
import { AgentError } from '../errors.ts'

export interface WorkloadOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number
  /** Told the process group before anything of the command runs, which it does not where this says no or fails. */
  readonly guard: (group: number) => Promise<boolean>
}

const GATE = new URL('../../bin/gate.js', import.meta.url)

/** What it says first, before an errno. */
const HERE = '+'

/** `process.execve` is new, and works. */
const GATE_FLAGS = ['--disable-warning=ExperimentalWarning']

/** How often a group that was told to go is looked at. */
const LOOK_MS = 20

/** After SIGKILL nothing can stay but what nobody reaps, as where the first process of a container does not. */
const REAPED_MS = 2_000

/** What shells add to the number of a signal that has ended something. */
const SIGNALLED = 128

/** As shells have it; of a signal that Node has no name for without its number. */
export function exitCodeOfSignal(signal: NodeJS.Signals | ''): number {
  return SIGNALLED + (signal === '' ? 0 : (constants.signals[signal] ?? 0))
}

/**
 * Of what has ended, as Node tells it. What says nothing is no success. LIMIT: of a signal that has no name, as real-time
 * signals have none, Node tells exit code 0.
 */
export function exitCodeOf(code: number | null, signal: NodeJS.Signals | '' | null): number {
  return signal === null && code !== null ? code : exitCodeOfSignal(signal ?? '')
}

/** One command in a process group of its own. */
export class Workload {
  /** Resolves with its exit code, or 128 and the signal's number, once nothing of its group is left. */
  readonly ended: Promise<number>
  readonly #child: ChildProcess
  readonly #graceMs: number
  #stopping: Promise<void> | null = null

  /** Null where the guard says no. @throws {AgentError} command-missing, command-not-executable, gate-lost, and what the guard may */
  static async start({ command, args, env, graceMs, guard }: WorkloadOptions): Promise<Workload | null> {
    // Its streams are ours; of other descriptors it has the gate's, which closes when the command takes its place.
    const stdio = ['inherit', 'inherit', 'inherit', 'pipe'] as const
    const { line, env: gateEnv } = processCode(GATE_FLAGS, GATE)
    const [program, ...gateArgs] = line
    const child = spawn(program, gateArgs, {
      env: gateEnv,
      stdio: [...stdio],
      detached: true,
    })
    const gate = child.stdio[3] as Socket
    try {
      const ended = endOf(child)
      await spawned(command, child)
      if (child.pid === undefined || !(await guard(child.pid))) return null
      const answer = await open(gate, { command, args, env })
      // What a signal ends before the gate is there has ended by it.
      const isRun = answer === HERE || (answer === '' && (await ended) > SIGNALLED)
      if (isRun) return new Workload(child, { ended, graceMs })
      await ended
      throw answer === '' ? noGate() : notStarted(command, answer.slice(HERE.length))
    } finally {
      // Where it is still the gate, it ends by this.
      gate.destroy()
    }
  }

  private constructor(
    child: ChildProcess,
    { ended, graceMs }: { readonly ended: Promise<number>; readonly graceMs: number },
  ) {
    this.#child = child
    this.#graceMs = graceMs
    this.ended = this.#end(ended)
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

  async #end(ended: Promise<number>): Promise<number> {
    const code = await ended
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

  /** False if nothing of the group is left. */
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

function endOf(child: ChildProcess): Promise<number> {
  return new Promise(resolve => {
    child.once('exit', (code, signal) => resolve(exitCodeOf(code, signal)))
  })
}

function spawned(command: string, child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', cause => {
      reject(
        new AgentError('command-not-executable', `${command} cannot be run: ${cause.message}`, { cause }),
      )
    })
  })
}

/** Tells the gate what to become. That it is there, and the errno with which it could not; no errno if it has. */
async function open(gate: Socket, order: Pick<WorkloadOptions, 'command' | 'args' | 'env'>): Promise<string> {
  let answer = ''
  gate.on('data', chunk => (answer += String(chunk)))
  // It may have been ended meanwhile: its exit says so.
  gate.on('error', () => undefined)
  const closed = new Promise<void>(resolve => gate.once('close', resolve))
  gate.write(`${JSON.stringify(order)}\n`)
  await closed
  return answer
}

function noGate(): AgentError {
  return new AgentError('gate-lost', 'the process that was to become the command has ended before', {
    hint: 'its own words are above; are files of the installation missing, or is memory short?',
  })
}

function notStarted(command: string, errno: string): AgentError {
  if (errno === 'ENOENT') {
    return new AgentError('command-missing', `there is no command ${command}`, {
      hint: 'the command and its arguments come after --',
    })
  }
  return new AgentError('command-not-executable', `${command} cannot be run (${errno})`)
}
