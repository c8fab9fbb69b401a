// A command under a lease, from the place of its secrets to its outcome: nothing is asked for where its secrets would have
// no place, nothing of it runs while nobody guards it, and nothing of it is left.

import type { Allowed } from '../guest/allowed-paths.ts'
import { type GuestApi, serveGuestApi } from '../guest/guest-api.ts'
import { GuestTokens } from '../guest/guest-tokens.ts'
import type { Agent } from '../standing/agent.ts'
import type { Clock } from '../standing/clock.ts'
import { inheritedBy } from './environment.ts'
import { type MemoryDirectory, makeMemoryDirectory } from './memory-directory.ts'
import { type Outcome, Supervisor, type SupervisorOptions } from './supervisor.ts'
import { Watchdog } from './watchdog.ts'

/** An agent that has attested. */
export interface OpenedAgent {
  readonly agent: Agent
  readonly simulated: boolean
}

/** The part of the guest API that the command is served. */
export interface CommandApi {
  /** 0 lets the system choose. */
  readonly port: number
  readonly allowed: Allowed
  readonly clock: Clock
  /** Of Casemate. */
  readonly version: string
}

/** A command, its secrets, and the way to an agent for them. */
export interface RunOptions extends Omit<SupervisorOptions, 'agent' | 'directory' | 'watchdog' | 'env'> {
  /** Of this process; what is passed on of it is {@link inheritedBy}. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where secrets become files; null for the first place in memory that there is. */
  readonly memoryDirectory: string | null
  /** Null if none is served. */
  readonly api: CommandApi | null
  /** Attests, and fetches these secrets. */
  readonly open: (secrets: readonly string[]) => Promise<OpenedAgent>
}

/**
 * Runs it to its end. @throws {AgentError} directory-not-in-memory, directory-not-safe, address-in-use, clients-unknown,
 * guard-lost, gate-lost, secret-not-text, command-missing, command-not-executable; and what `open` does
 */
export async function runUnderLease(options: RunOptions): Promise<Outcome> {
  const { wanted, memoryDirectory, env, onLeaseEnd } = options
  const files = wanted.some(({ as }) => as === 'file')
  // Before anything is asked for: if it cannot be, no secret is fetched.
  const directory = files ? makeMemoryDirectory(memoryDirectory, env) : null
  let watchdog: Watchdog | null = null
  try {
    const opened = await options.open(wanted.map(({ path }) => path))
    watchdog = onLeaseEnd === 'keep' ? null : await startWatchdog(options, directory)
    return await supervised(options, opened, { directory, watchdog })
  } finally {
    directory?.remove()
    watchdog?.release()
  }
}

async function startWatchdog(
  { graceMs, note }: RunOptions,
  directory: MemoryDirectory | null,
): Promise<Watchdog | null> {
  const watchdog = await Watchdog.start({
    graceMs,
    directory: directory?.path ?? null,
    onLost: () => note('guard-lost: nobody ends the command any more if this process is killed'),
  })
  if (watchdog === null) {
    note('there is no /bin/sh: nobody ends the command if this process is killed')
  }
  return watchdog
}

async function supervised(
  options: RunOptions,
  opened: OpenedAgent,
  surroundings: Pick<SupervisorOptions, 'directory' | 'watchdog'>,
): Promise<Outcome> {
  const { agent } = opened
  const api = await serveCommand(options, opened)
  try {
    const env = { ...inheritedBy(options.env), ...(api === null ? {} : { [GUEST_API]: api.url }) }
    return await new Supervisor({ ...options, ...surroundings, agent, env }).run()
  } finally {
    agent.close()
    await api?.close()
  }
}

/** The variable that tells the command the URL of the guest API. */
const GUEST_API = 'CASEMATE_GUEST_API'

/**
 * Secrets and nothing else: with evidence for report data of its own choice the command could attest by itself, and
 * what it may ask for would be no limit.
 */
async function serveCommand(
  { api, note }: Pick<RunOptions, 'api' | 'note'>,
  { agent, simulated }: OpenedAgent,
): Promise<GuestApi | null> {
  if (api === null) return null
  const { port, allowed, clock, version } = api
  const tokens = new GuestTokens(agent, clock)
  const routes = { agent, tokens, feature: 'resource', allowed, version, simulated } as const
  return serveGuestApi({ routes, port, clients: 'own', note })
}
