// A workload under a lease: started with its secrets, told of those that change, and stopped when the lease ends or is
// withdrawn, if that was chosen. Decision 15 says why.

import type { Agent, AgentEvent } from '../standing/agent.ts'
import { tellerOn } from '../standing/event-line.ts'
import { KnownSecrets } from '../standing/known-secrets.ts'
import { type LeaseEnd, type LeaseEndPolicy, leaseEndOf, STOPPED_EXIT_CODE } from '../standing/lease-end.ts'
import { textFor } from './environment.ts'
import type { MemoryDirectory } from './memory-directory.ts'
import type { Watchdog } from './watchdog.ts'
import { exitCodeOfSignal, Workload } from './workload.ts'

/** A secret of the workload. */
export interface WantedSecret {
  /** `repository/type/tag`. */
  readonly path: string
  /** Of the variable. */
  readonly name: string
  /** The variable holds the secret itself, or the name of a file that does. */
  readonly as: 'variable' | 'file'
}

/** The command's share in a secret that has changed. Files are replaced in any case; a variable cannot be. */
export const CHANGE_POLICIES = ['keep', 'restart', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const

export interface SupervisorOptions {
  readonly agent: Agent
  readonly wanted: readonly WantedSecret[]
  /** Null if no secret is a file. */
  readonly directory: MemoryDirectory | null
  readonly watchdog: Watchdog | null
  readonly command: string
  readonly args: readonly string[]
  /** Without the secrets. */
  readonly env: Readonly<Record<string, string>>
  readonly graceMs: number
  readonly onLeaseEnd: LeaseEndPolicy
  readonly onChange: (typeof CHANGE_POLICIES)[number]
  readonly note: (line: string) => void
}

/** How it ended. */
export interface Outcome {
  readonly ended: 'exited' | 'interrupted' | LeaseEnd
  readonly exitCode: number
}

const FORWARDED = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const

/** Runs one command under one agent's lease. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #known: KnownSecrets
  #workload: Workload | null = null
  #outcome: Outcome | null = null
  #failure: unknown = null
  #restarting = false
  /** From when its gate is told to open until we know how that went: it may be the command already. */
  #isBeginning = false
  readonly #early: NodeJS.Signals[] = []
  readonly #tell: (event: AgentEvent) => void

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#known = new KnownSecrets(options.agent)
    this.#tell = tellerOn(options.note)
  }

  /** Runs the workload to its end. @throws {AgentError} gate-lost, command-missing, command-not-executable, secret-not-text */
  async run(): Promise<Outcome> {
    const { agent } = this.#options
    const forward = (signal: NodeJS.Signals): void => this.#signalled(signal)
    for (const signal of FORWARDED) process.on(signal, forward)
    // A process that is stopped from the keyboard could not end the workload in time.
    process.on('SIGTSTP', ignore)
    try {
      agent.start(event => this.#hear(event))
      const outcome = await this.#runAgainAndAgain()
      if (this.#failure !== null) throw this.#failure
      return outcome
    } finally {
      await this.#workload?.stop()
      for (const signal of FORWARDED) process.off(signal, forward)
      process.off('SIGTSTP', ignore)
    }
  }

  async #runAgainAndAgain(): Promise<Outcome> {
    for (;;) {
      this.#restarting = false
      this.#workload = null
      const exitCode = await this.#runOnce()
      if (this.#outcome !== null) return this.#outcome
      if (!this.#restarting) return { ended: 'exited', exitCode }
    }
  }

  /** Its exit code; of no meaning if it was not to be started any more. */
  async #runOnce(): Promise<number> {
    const secrets = await this.#secrets().catch((error: unknown) => {
      // Without a lease there are none, and that has been said.
      if (this.#outcome === null) throw error
      return {}
    })
    if (this.#outcome !== null) return STOPPED_EXIT_CODE
    this.#workload = await this.#started(secrets)
    for (const signal of this.#early.splice(0)) this.#signalled(signal)
    const exitCode = await this.#workload?.ended
    this.#options.watchdog?.forget()
    return exitCode ?? STOPPED_EXIT_CODE
  }

  /** Null if it is not to be started any more. */
  async #started(secrets: Readonly<Record<string, string>>): Promise<Workload | null> {
    const { command, args, env, graceMs, watchdog } = this.#options
    try {
      const workload = await Workload.start({
        command,
        args,
        graceMs,
        env: { ...env, ...secrets },
        guard: async group => {
          await watchdog?.guard(group)
          this.#isBeginning = this.#isWanted()
          return this.#isBeginning
        },
      })
      if (!this.#isWanted()) await workload?.stop()
      return workload
    } finally {
      this.#isBeginning = false
    }
  }

  /** False where something has been said while the command was being started. */
  #isWanted(): boolean {
    return this.#outcome === null && !this.#restarting
  }

  /** Writes the files, and gives the variables. */
  async #secrets(): Promise<Readonly<Record<string, string>>> {
    const { wanted, directory } = this.#options
    const variables: Record<string, string> = {}
    for (const { path, name, as } of wanted) {
      const secret = await this.#known.take(path)
      if (as === 'variable') variables[name] = textFor(name, secret)
      else if (directory !== null) {
        directory.write(name, secret)
        variables[name] = directory.pathOf(name)
      }
      secret.fill(0)
    }
    return variables
  }

  #signalled(signal: NodeJS.Signals): void {
    if (this.#isBeginning) this.#early.push(signal)
    else if (this.#workload !== null && !this.#restarting) this.#workload.signal(signal)
    else if (signal !== 'SIGUSR1' && signal !== 'SIGUSR2') {
      this.#outcome ??= { ended: 'interrupted', exitCode: exitCodeOfSignal(signal) }
    }
  }

  #hear(event: AgentEvent): void {
    this.#tell(event)
    if (event.kind === 'renewed') this.#lookForChanges().catch((error: unknown) => this.#fail(error))
    const ended = leaseEndOf(event, this.#options.onLeaseEnd)
    if (ended !== null) this.#stop(ended)
  }

  #stop(ended: Outcome['ended']): void {
    this.#outcome ??= { ended, exitCode: STOPPED_EXIT_CODE }
    this.#options.agent.close()
    void this.#workload?.stop()
  }

  async #lookForChanges(): Promise<void> {
    const { wanted, directory } = this.#options
    const secrets = await this.#known.changed()
    this.#known.use(secrets)
    const changed = wanted.filter(({ path }) => secrets.has(path))
    for (const { name, path, as } of changed) {
      const secret = secrets.get(path)
      if (as === 'file' && secret !== undefined) directory?.write(name, secret)
    }
    for (const secret of secrets.values()) secret.fill(0)
    if (changed.length > 0) await this.#tellChanged(changed)
  }

  async #tellChanged(changed: readonly WantedSecret[]): Promise<void> {
    const { note, onChange } = this.#options
    const names = changed.map(({ name }) => name).join(', ')
    if (onChange === 'restart') {
      note(`changed at the broker: ${names}; the command is started anew`)
      this.#restarting = true
      await this.#workload?.stop()
      return
    }
    const variables = changed.some(({ as }) => as === 'variable')
    note(`changed at the broker: ${names}${variables ? '; a variable keeps its old value' : ''}`)
    if (onChange !== 'keep') this.#workload?.notify(onChange)
  }

  /** A fault of ours: without us the workload has no lease. */
  #fail(error: unknown): void {
    this.#failure ??= error
    this.#stop('lease-ended')
  }
}

function ignore(): void {
  // Deliberately nothing.
}
