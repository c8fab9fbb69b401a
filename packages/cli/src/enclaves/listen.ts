// `enclave run --listen`: an enclave that answers others over attested channels, for as long as its lease lives.

import {
  type Agent,
  ENCLAVE_CHANGE_POLICIES,
  EnclaveService,
  KnownSecrets,
  keepMemoryPrivate,
  STOPPED_EXIT_CODE,
} from '@casemate/agent'
import { type ChannelIdentity, type EnclaveServer, openIdentity, serveEnclave } from '@casemate/channel'
import { type AttestationDriver, type EnclaveStatement, kbsAttester } from '@casemate/enclave'
import { openEnclaveDriver } from '../attesting/attester.ts'
import type { Answer, Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { listenForServerStop, NOTHING_TO_RELOAD, stoppedBy } from '../terminal/stop-signal.ts'
import { readWord } from '../typed/flag-values.ts'
import { APPRAISAL_FLAGS } from '../verify/appraisal-flags.ts'
import { readLeaseFlags } from '../workload/lease-choice.ts'
import { openWith } from '../workload/opening.ts'
import { addressOf } from './address.ts'
import { demandsOnCallers } from './caller-demands.ts'
import { type ReadImage, type SecretSources, sourcesOf, startEnclave, statementOf } from './start.ts'

/** Flags that mean nothing without `--listen`. */
const LISTENING_ONLY = ['on-lease-end', 'on-change', 'grace', ...Object.keys(APPRAISAL_FLAGS)]

/** @throws {CliError} flag-value-unwanted */
export function refuseListening(call: Call): void {
  const first = LISTENING_ONLY.find(name => call.given(name))
  if (first === undefined) return
  throw new CliError('flag-value-unwanted', `--${first} is about calls of others`, { hint: 'with --listen' })
}

/** The flags, read and checked, before anything is asked for. */
async function readFlags(call: Call, sources: SecretSources) {
  if (call.given('call') || call.given('input') || call.given('input-file')) {
    throw new CliError('flag-value-invalid', '--listen waits for calls of others, and makes none itself')
  }
  const leased = ['on-lease-end', 'on-change'].find(name => call.given(name))
  if (leased !== undefined && sources.released.length === 0) {
    throw new CliError(
      'flag-value-unwanted',
      `--${leased}: there is no lease, as no broker releases anything`,
      {
        hint: 'with --server, for an image that declares secrets',
      },
    )
  }
  return {
    address: addressOf(call.option('listen') ?? ''),
    ...readLeaseFlags(call),
    onChange: readWord('on-change', call.option('on-change'), ENCLAVE_CHANGE_POLICIES),
    peers: await demandsOnCallers(call),
  }
}

type Read = Awaited<ReturnType<typeof readFlags>>

/** Answers calls until it is told to stop, or its lease ends. */
export async function listenForCalls(call: Call, read: ReadImage): Promise<Answer> {
  const sources = sourcesOf(call, read.image)
  const flags = await readFlags(call, sources)
  keepMemoryPrivate(call.terminal.tell)
  const stop = listenForServerStop(call.terminal.columns !== null)
  stop.onHangUp(() => call.terminal.tell(NOTHING_TO_RELOAD))
  try {
    const statement = statementOf(read.image)
    const driver = await openEnclaveDriver(call, statement)
    const attester = kbsAttester(driver, statement)
    const { released } = sources
    const agent = released.length === 0 ? null : await openWith(attester, call, released)
    try {
      const service = await openService(call, read, { agent, flags, sources })
      return await served(call, service, { driver, flags, read, statement, stop: stop.signal })
    } finally {
      agent?.close()
    }
  } finally {
    stop.release()
  }
}

interface Opening {
  readonly agent: Agent | null
  readonly flags: Read
  readonly sources: SecretSources
}

async function openService(call: Call, read: ReadImage, opening: Opening): Promise<EnclaveService> {
  const { agent, flags, sources } = opening
  const known = agent === null ? null : new KnownSecrets(agent)
  const secrets = new Map(sources.files)
  if (known !== null) for (const path of sources.released) secrets.set(path, await known.take(path))
  return EnclaveService.open({
    ...flags,
    agent,
    known,
    secrets,
    note: call.terminal.tell,
    open: now => startEnclave(call, read, now),
  })
}

interface Serving {
  readonly driver: AttestationDriver
  readonly flags: Read
  readonly read: ReadImage
  readonly statement: EnclaveStatement
  readonly stop: AbortSignal
}

async function served(call: Call, service: EnclaveService, serving: Serving): Promise<Answer> {
  const { driver, read, statement, stop } = serving
  const { note, now, tell } = call.terminal
  let [identity, server]: [ChannelIdentity | null, EnclaveServer | null] = [null, null]
  try {
    identity = await openIdentity({
      driver,
      statement,
      now,
      report: event => {
        if (event.type === 'identity-renewal-failed') tell(`no new evidence: ${String(event.error)}`)
      },
    })
    server = await serve(call, service, { identity, flags: serving.flags })
    if (driver.simulated) {
      tell(`the ${driver.kind} platform is simulated: nothing about hardware is proved`)
    }
    note(`${read.image.manifest.name} answers on ${server.host}:${server.port}; Ctrl-C ends it`)
    service.start()
    const ended = await Promise.race([stoppedBy(stop).then(() => 'interrupted' as const), service.leaseEnded])
    const exitCode = ended === 'interrupted' ? 0 : STOPPED_EXIT_CODE
    return { exitCode, json: { stopped: true, ended }, lines: [] }
  } finally {
    // Calls under way are answered before their connections end.
    await service.close()
    await server?.close()
    identity?.close()
  }
}

function serve(
  { terminal }: Call,
  { target }: EnclaveService,
  { identity, flags }: { readonly identity: ChannelIdentity; readonly flags: Read },
): Promise<EnclaveServer> {
  return serveEnclave({
    ...flags.address,
    enclave: target,
    identity,
    peers: flags.peers,
    onRefused: error => terminal.note(`refused: ${error.code}: ${error.message}`),
    onError: error => terminal.note(`failed: ${String(error)}`),
  })
}
