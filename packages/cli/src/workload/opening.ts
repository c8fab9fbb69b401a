// The beginning of all that lives on a lease: the platform's attester, the broker, and a first attestation.

import { type Agent, keepMemoryPrivate, type OpenedAgent, openAgent, SYSTEM_CLOCK } from '@casemate/agent'
import { type Attester, fetchInfo } from '@casemate/client'
import { openAttester } from '../attesting/attester.ts'
import { brokerOf } from '../broker/connection.ts'
import type { Call } from '../command.ts'

/** @throws {BrokerRefusal} @throws {Unavailable} @throws {ClientConfigError} @throws {CliError} simulator-missing @throws {AgentError} debugger-open */
export async function openFor(call: Call, secrets: readonly string[]): Promise<OpenedAgent> {
  keepMemoryPrivate(call.terminal.tell)
  const { attester, simulated } = await openAttester(call)
  if (simulated) call.terminal.tell('the platform is simulated: nothing about hardware is proved')
  return { agent: await openWith(attester, call, secrets), simulated }
}

/** For an attester that is there already. @throws {BrokerRefusal} @throws {Unavailable} @throws {ClientConfigError} */
export async function openWith(attester: Attester, call: Call, secrets: readonly string[]): Promise<Agent> {
  const { terminal } = call
  const broker = brokerOf(call)
  const { issuer } = await fetchInfo(broker)
  const { url } = broker
  const opening = openAgent({ attester, url, issuer, fetch: terminal.fetch, clock: SYSTEM_CLOCK, secrets })
  return terminal.progress('attesting', opening)
}
