// `casemate agent`: the guest API until it is told to stop.

import {
  type Agent,
  type Allowed,
  CLIENTS,
  FEATURES,
  type Feature,
  GUEST_PORT,
  type GuestApiOptions,
  GuestTokens,
  SYSTEM_CLOCK,
  serveGuestApi,
  spanOf,
  tellerOn,
} from '@casemate/agent'
import type { Answer, Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { listenForServerStop, NOTHING_TO_RELOAD, stoppedBy } from '../terminal/stop-signal.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { version } from '../terminal/version.ts'
import { readNumber, readWord } from '../typed/flag-values.ts'
import { readAllowed } from './allow-flag.ts'
import { openFor } from './opening.ts'

const MAX_PORT = 65_535

/** The `agent` command. */
export async function serve(call: Call): Promise<Answer> {
  const port = readNumber('port', call.option('port') ?? String(GUEST_PORT), MAX_PORT)
  const feature = readWord('features', call.option('features'), FEATURES)
  const clients = readWord('clients', call.option('clients'), CLIENTS)
  const allowed = readLimit(call.options('allow'), feature)
  const stop = listenForServerStop(call.terminal.columns !== null)
  stop.onHangUp(() => call.terminal.tell(NOTHING_TO_RELOAD))
  try {
    const { agent, simulated } = await openFor(call, [])
    const tokens = new GuestTokens(agent, SYSTEM_CLOCK)
    const routes = { agent, tokens, feature, allowed, version: version(), simulated }
    try {
      await serveUntil(stop.signal, call.terminal, agent, { routes, port, clients, note: call.terminal.tell })
    } finally {
      agent.close()
    }
  } finally {
    stop.release()
  }
  return { exitCode: 0, json: { stopped: true }, lines: [] }
}

// oxlint-disable-next-line max-params -- until when, and what is served to whom
async function serveUntil(
  stop: AbortSignal,
  terminal: Terminal,
  agent: Agent,
  options: GuestApiOptions,
): Promise<void> {
  const { simulated } = options.routes
  const api = await serveGuestApi(options)
  try {
    const { tee } = agent.attester
    announce(terminal, { guestApi: api.url, tee, simulated, leaseMs: agent.leaseMs })
    agent.start(tellerOn(terminal.tell))
    await stoppedBy(stop)
  } finally {
    await api.close()
  }
}

/** Which secrets may be asked for; all that the broker releases if nothing was said. */
function readLimit(patterns: readonly string[], feature: Feature): Allowed {
  if (patterns.length > 0 && feature !== 'resource') {
    throw new CliError('flag-value-invalid', `--allow is no limit with --features ${feature}`, {
      hint: 'who may have evidence can attest by himself, and ask for what he likes: --features resource',
    })
  }
  return readAllowed(patterns.length === 0 ? ['*/*/*'] : patterns, 'allow')
}

interface Ready {
  readonly guestApi: string
  readonly tee: string
  readonly simulated: boolean
  readonly leaseMs: number
}

function announce({ json, print }: Terminal, ready: Ready): void {
  const { guestApi, tee, leaseMs } = ready
  print([
    json ? JSON.stringify(ready) : `attested as ${tee}, for ${spanOf(leaseMs)}; guest API at ${guestApi}`,
  ])
}
