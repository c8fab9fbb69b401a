// `casemate run`: its flags, and how its command ended.

import {
  CHANGE_POLICIES,
  type CommandApi,
  runUnderLease,
  SYSTEM_CLOCK,
  type WantedSecret,
} from '@casemate/agent'
import type { Answer, Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { version } from '../terminal/version.ts'
import { readNumber, readWord } from '../typed/flag-values.ts'
import { readAllowed } from './allow-flag.ts'
import { readLeaseFlags } from './lease-choice.ts'
import { openFor } from './opening.ts'
import { readWanted } from './secret-arguments.ts'

const MAX_PORT = 65_535

/** The `run` command. */
export async function run(call: Call): Promise<Answer> {
  const [command = '', ...args] = call.positionals
  const { env, tell: note } = call.terminal
  const outcome = await runUnderLease({
    ...readFlags(call),
    command,
    args,
    env,
    note,
    open: secrets => openFor(call, secrets),
  })
  return { exitCode: outcome.exitCode, json: outcome, lines: [] }
}

/** The flags, read and checked. */
function readFlags(call: Call) {
  const wanted = readWanted({ secrets: call.options('secret'), files: call.options('secret-file') })
  if (call.option('guest-api') === null && call.given('allow')) {
    throw new CliError('flag-value-unwanted', '--allow says what the guest API may be asked for', {
      hint: 'with --guest-api 0',
    })
  }
  return {
    wanted,
    ...readLeaseFlags(call),
    onChange: readWord('on-change', call.option('on-change'), CHANGE_POLICIES),
    memoryDirectory: call.option('memory-directory'),
    api: apiOf(call, wanted),
  }
}

/** The command may ask for what it was started with in any case. */
function apiOf(call: Call, wanted: readonly WantedSecret[]): CommandApi | null {
  const typed = call.option('guest-api')
  const port = typed === null ? null : readNumber('guest-api', typed, MAX_PORT)
  const allowed = readAllowed([...wanted.map(({ path }) => path), ...call.options('allow')], 'allow')
  return port === null ? null : { port, allowed, clock: SYSTEM_CLOCK, version: version() }
}
