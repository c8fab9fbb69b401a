// The attester of a command: the hardware if there is any, else the simulated platform.

import { type AttestedSession, type Attester, attest, fetchInfo, type KeyType } from '@casemate/client'
import { type AttestationDriver, type EnclaveStatement, kbsAttester } from '@casemate/enclave'
import { brokerOf } from '../broker/connection.ts'
import type { Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { hardwareDriver } from './hardware.ts'
import { openSimulatedAttester, openSimulatedDriver } from './simulator.ts'

/** An attester, and whether it proves anything about hardware. */
export interface OpenedAttester {
  readonly attester: Attester
  readonly simulated: boolean
}

/** Attests to the broker that `--server` names, under whatever issuer it states. */
export async function attestWith(attester: Attester, call: Call, keyType: KeyType): Promise<AttestedSession> {
  const broker = brokerOf(call)
  const { issuer } = await fetchInfo(broker)
  return call.terminal.progress('attesting', attest({ ...broker, attester, keyType, issuer }))
}

/**
 * The hardware's attester, or that of the machine that `--kind` and `--simulator` name.
 * @throws {CliError} simulator-missing, flag-value-invalid
 * @throws {EnclaveError} attestation-unavailable
 */
export async function openAttester(call: Call): Promise<OpenedAttester> {
  const hardware = await hardwareDriver(call)
  if (hardware !== null) return { attester: kbsAttester(hardware, null), simulated: false }
  return { attester: await openSimulatedAttester(call), simulated: true }
}

/** The driver of the machine that runs an enclave. @throws as `openAttester`, CliError flag-value-invalid */
export async function openEnclaveDriver(call: Call, enclave: EnclaveStatement): Promise<AttestationDriver> {
  const driver = (await hardwareDriver(call)) ?? (await openSimulatedDriver(call, enclave))
  if (call.given('extend-register')) await showInRegister(call, driver, enclave)
  return driver
}

/** @throws {CliError} flag-value-invalid where the machine has no register, or it shows something else */
async function showInRegister(
  call: Call,
  driver: AttestationDriver,
  enclave: EnclaveStatement,
): Promise<void> {
  const state = (await driver.extendRegister?.(enclave)) ?? 'absent'
  if (state === 'extended') return call.terminal.tell('RTMR3 shows this enclave until the machine ends')
  throw new CliError('flag-value-invalid', `--extend-register: ${REGISTER_REASONS[state]}`, {
    hint: 'leave it out: the statement of the enclave goes with the evidence in any case',
  })
}

const REGISTER_REASONS = {
  absent: 'this machine offers no RTMR3; Linux 6.16 and later does in TDX domains',
  taken: 'RTMR3 shows something else already, and cannot show the enclave',
} as const

/** The driver of a machine that runs no enclave. @throws as `openAttester`, CliError flag-value-invalid */
export async function openMachineDriver(call: Call): Promise<AttestationDriver> {
  return (await hardwareDriver(call)) ?? openSimulatedDriver(call)
}
