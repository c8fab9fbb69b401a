// `casemate run`, from the command line to the outcome.

import type { Answer, Call } from '../command.ts'
import { CliError } from '../failure.ts'
import { readNumber, readWord } from '../flag-values.ts'
import { version } from '../version.ts'
import { readAllowed } from './allowed-paths.ts'
import { SYSTEM_CLOCK } from './clock.ts'
import { inheritedBy } from './environment.ts'
import { type GuestApi, serveGuestApi } from './guest-api.ts'
import { GuestTokens } from './guest-tokens.ts'
import { readLeaseFlags } from './lease-end.ts'
import { type MemoryDirectory, makeMemoryDirectory } from './memory-directory.ts'
import { type Opened, openFor } from './opening.ts'
import { readWanted } from './secret-arguments.ts'
import { CHANGE_POLICIES, type Outcome, Supervisor } from './supervisor.ts'
import { Watchdog } from './watchdog.ts'

const MAX_PORT = 65_535

/** The flags, read and checked. */
function readFlags(call: Call) {
  const wanted = readWanted({ secrets: call.options('secret'), files: call.options('secret-file') })
  const port = call.option('guest-api')
  if (port === null && call.given('allow')) {
    throw new CliError('flag-value-unwanted', '--allow says what the guest API may be asked for', {
      hint: 'with --guest-api 0',
    })
  }
  return {
    wanted,
    ...readLeaseFlags(call),
    onChange: readWord('on-change', call.option('on-change'), CHANGE_POLICIES),
    port: port === null ? null : readNumber('guest-api', port, MAX_PORT),
    allowed: readAllowed([...wanted.map(({ path }) => path), ...call.options('allow')], 'allow'),
  }
}

type Read = ReturnType<typeof readFlags>

/** The `run` command. */
export async function run(call: Call): Promise<Answer> {
  const read = readFlags(call)
  const files = read.wanted.some(({ as }) => as === 'file')
  // Before anything is asked for: where it cannot be, no secret is fetched.
  const directory = files ? makeMemoryDirectory(call.option('memory-directory'), call.terminal.env) : null
  let watchdog: Watchdog | null = null
  try {
    const opened = await openFor(
      call,
      read.wanted.map(({ path }) => path),
    )
    watchdog = read.onLeaseEnd === 'keep' ? null : await startWatchdog(call, read, directory)
    const outcome = await supervised(call, read, opened, { directory, watchdog })
    return { exitCode: outcome.exitCode, json: outcome, lines: [] }
  } finally {
    directory?.remove()
    watchdog?.release()
  }
}

async function startWatchdog(
  { terminal }: Call,
  { graceMs }: Read,
  directory: MemoryDirectory | null,
): Promise<Watchdog | null> {
  const watchdog = await Watchdog.start({
    graceMs,
    directory: directory?.path ?? null,
    onLost: () =>
      terminal.note('casemate: guard-lost: nobody ends the command any more if this process is killed'),
  })
  if (watchdog === null) {
    terminal.note('casemate: there is no /bin/sh: nobody ends the command if this process is killed')
  }
  return watchdog
}

interface Surroundings {
  readonly directory: MemoryDirectory | null
  readonly watchdog: Watchdog | null
}

// oxlint-disable-next-line max-params -- what the line says, what was opened for it, and what is around it
async function supervised(
  call: Call,
  read: Read,
  opened: Opened,
  surroundings: Surroundings,
): Promise<Outcome> {
  const [command = '', ...args] = call.positionals
  const { agent } = opened
  const api = await guestApi(read, opened)
  try {
    const { note } = call.terminal
    const env = { ...inheritedBy(call.terminal.env), ...(api === null ? {} : { [GUEST_API]: api.url }) }
    return await new Supervisor({ ...read, ...surroundings, agent, command, args, env, note }).run()
  } finally {
    agent.close()
    await api?.close()
  }
}

/** What the command finds the guest API under. */
const GUEST_API = 'CASEMATE_GUEST_API'

/**
 * Secrets and nothing else: with evidence for report data of its own choice the command could attest by itself, and
 * what it may ask for would be no limit.
 */
async function guestApi({ port, allowed }: Read, { agent, simulated }: Opened): Promise<GuestApi | null> {
  if (port === null) return null
  const tokens = new GuestTokens(agent, SYSTEM_CLOCK)
  const routes = { agent, tokens, feature: 'resource', allowed, version: version(), simulated } as const
  return serveGuestApi({ routes, port, clients: 'own' })
}
