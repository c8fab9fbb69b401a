// A caller of an enclave: says whom it means, connects, and sends nothing before the other end has proved to be that.

import { type AppraisalPolicy, parsePolicy } from '@casemate/appraisal'
import {
  type ChannelIdentity,
  connectEnclave,
  openIdentity,
  type Peer,
  type PeerDemands,
} from '@casemate/channel'
import { mergeEndorsements, readEndorsements } from '@casemate/evidence'
import { openMachineDriver } from '../attesting/attester.ts'
import { simulatedTrust } from '../attesting/simulator.ts'
import type { Answer, Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { openContext } from '../verify/verify-files.ts'
import { addressOf } from './address.ts'
import { answerOf, inputOf } from './input.ts'

/** The `enclave call` command. */
export async function callEnclave(call: Call): Promise<Answer> {
  const [address = '', name = ''] = call.positionals
  const at = addressOf(address)
  const demands = await demandsOf(call)
  const input = await inputOf(call)
  const identity = await identityOf(call)
  try {
    const shown = identity === null ? {} : { identity }
    const connecting = connectEnclave({ ...at, peer: demands, ...shown })
    const client = await call.terminal.progress('connecting', connecting)
    try {
      return answerOf(await client.call(name, input), { peer: peerJson(client.peer) })
    } finally {
      await client.close()
    }
  } finally {
    identity?.close()
  }
}

/** What this machine shows of itself; null if it is nobody. @throws {CliError} flag-value-unwanted, and what a driver may */
async function identityOf(call: Call): Promise<ChannelIdentity | null> {
  if (call.given('attest')) {
    return openIdentity({ driver: await openMachineDriver(call), statement: null, now: call.terminal.now })
  }
  const first = ['kind', 'code', 'platform'].find(name => call.given(name))
  if (first === undefined) return null
  throw new CliError('flag-value-unwanted', `--${first} is about what this machine shows of itself`, {
    hint: 'with --attest',
  })
}

async function demandsOf(call: Call): Promise<PeerDemands> {
  const context = await openContext(call)
  const policy = policyOf(call, context.policy)
  const trust = call.given('simulated') ? await simulatedTrust(call) : { anchors: [], endorsements: [] }
  const ours = readEndorsements(trust.endorsements)
  return {
    policy,
    references: context.references,
    endorsements: async evidence => mergeEndorsements(await context.endorsementsFor(evidence), ours),
    anchors: [...context.anchors, ...trust.anchors],
    now: call.terminal.now,
  }
}

/** The policy of a file is taken as it is; else one of flags, which has to name the enclave. */
function policyOf(call: Call, base: AppraisalPolicy): AppraisalPolicy {
  const enclave = expectationsOf(call)
  const typed = call.option('policy') ?? 'strict'
  if (typed !== 'strict' && typed !== 'standard') {
    if (Object.keys(enclave).length === 0 && !call.given('simulated')) return base
    throw new CliError('flag-value-invalid', `--policy ${typed} says it all, and other flags too`, {
      hint: 'put mrEnclave, mrSigner, isvProdId, minIsvSvn and simulated into the policy',
    })
  }
  if (!call.given('measurement') && !call.given('signer')) {
    throw new CliError('argument-missing', 'whom do you mean? --measurement or --signer is missing', {
      hint: 'casemate enclave inspect IMAGE shows both',
    })
  }
  const simulated = call.given('simulated')
  // A machine that nobody knows could state any enclave; a simulated one is believed by name alone.
  const measuredBy = simulated || call.given('references') ? {} : { measuredBy: ['processor'] }
  return parsePolicy({
    extends: typed,
    name: 'command-line',
    version: 1,
    ...(call.given('references') ? {} : { workloads: 'any' }),
    ...(simulated ? { simulated: 'any' } : {}),
    enclave: { ...enclave, ...measuredBy },
  })
}

function expectationsOf(call: Call): Record<string, unknown> {
  const hex = (flag: string): string | null => {
    const typed = call.option(flag)?.toLowerCase() ?? null
    if (typed === null || /^[\da-f]{64}$/.test(typed)) return typed
    throw new CliError('flag-value-invalid', `--${flag} is ${typed}, want 64 hex digits`)
  }
  const number = (flag: string): number | null => {
    const typed = call.option(flag)
    if (typed === null || /^\d{1,5}$/.test(typed)) return typed === null ? null : Number(typed)
    throw new CliError('flag-value-invalid', `--${flag} is ${typed}, want a whole number`)
  }
  const measurement = hex('measurement')
  const signer = hex('signer')
  const product = number('product-id')
  const minIsvSvn = number('min-svn')
  return {
    ...(measurement === null ? {} : { mrEnclave: [measurement] }),
    ...(signer === null ? {} : { mrSigner: [signer] }),
    ...(product === null ? {} : { isvProdId: [product] }),
    ...(minIsvSvn === null ? {} : { minIsvSvn }),
  }
}

function peerJson(peer: Peer | null): Record<string, unknown> | null {
  if (peer === null) return null
  const { claims, validUntil } = peer
  return { kind: claims.kind, simulated: claims.simulated, enclave: claims.enclave, validUntil }
}
