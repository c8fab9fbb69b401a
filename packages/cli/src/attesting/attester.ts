// Who attests for a command: the hardware where there is any, else the simulator's platform that the tour left behind,
// under a root of its own.

import { join } from 'node:path'
import { type AttestedSession, type Attester, attest, fetchInfo, type KeyType } from '@casemate/client'
import {
  type AttestationDriver,
  EnclaveError,
  type EnclaveStatement,
  kbsAttester,
  openSimulatedPlatform,
  type Quote,
  type SimulatedPlatform,
  type SimulatedTrust,
  simulatedDriver,
} from '@casemate/enclave'
import { DEMO_CODE, simulatorExists } from '@casemate/enclave/simulator-files'
import { type EndorsementSource, sampleKbsEvidence, type TrustAnchor } from '@casemate/evidence'
import { brokerOf } from '../broker/connection.ts'
import { DEFAULT_DATA_DIRECTORY, SIMULATOR_DIRECTORY } from '../broker/data-directory.ts'
import type { Call, Flag } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readWord } from '../typed/flag-values.ts'
import { hardwareDriver } from './hardware.ts'

/** The flags of every command that attests. */
export const SIMULATOR_FLAGS = {
  kind: { value: 'KIND', summary: 'tdx (default), sgx, snp or sample' },
  code: { value: 'NAME', summary: `pretend to run other code (default ${DEMO_CODE}, which the tour knows)` },
  simulator: { value: 'DIR', summary: 'the simulated platform (default .casemate/simulator)' },
  platform: {
    value: 'WHERE',
    summary: 'hardware, simulated, or auto (default): hardware where there is any',
  },
} as const satisfies Record<string, Flag>

/** Kinds of evidence that can be simulated. */
const KINDS = ['tdx', 'sgx', 'snp', 'sample'] as const
type SimulatedKind = (typeof KINDS)[number]
/** Those that can say which enclave runs. */
const QUOTED_KINDS = ['tdx', 'sgx', 'snp'] as const

/** Both vendors' virtual machines. */
export interface Simulator {
  readonly attester: (kind: SimulatedKind, code: string) => Attester
  /** One binary TDX quote, as it could be captured from a machine. */
  readonly tdxQuote: (reportData: Uint8Array, code: string) => Promise<Uint8Array>
  /** What a verifier has to be given to accept their evidence, as simulated. */
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly EndorsementSource[]
}

function simulatorDirectory(call: Call): string {
  const data = call.terminal.env['CASEMATE_DATA_DIR'] ?? DEFAULT_DATA_DIRECTORY
  return call.option('simulator') ?? join(data, SIMULATOR_DIRECTORY)
}

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
  const kind = kindOf(call, KINDS)
  const simulator = await openSimulator(existingSimulator(call), call.terminal.now())
  return { attester: simulator.attester(kind, call.option('code') ?? DEMO_CODE), simulated: true }
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
  if (state === 'extended')
    return call.terminal.note('casemate: RTMR3 shows this enclave until the machine ends')
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

async function openSimulatedDriver(call: Call, enclave?: EnclaveStatement): Promise<AttestationDriver> {
  const kind = kindOf(call, QUOTED_KINDS)
  const platform = await openPlatform(existingSimulator(call), call.terminal.now())
  const code = { kind, code: call.option('code') ?? DEMO_CODE }
  return simulatedDriver(platform, enclave === undefined ? code : { ...code, enclave })
}

/** What a verifier has to be given to accept the simulator's evidence. @throws as `openAttester` */
export async function simulatedTrust(call: Call): Promise<SimulatedTrust> {
  return (await openPlatform(existingSimulator(call), call.terminal.now())).trust
}

function kindOf<Kind extends SimulatedKind>(call: Call, kinds: readonly [Kind, ...Kind[]]): Kind {
  return readWord('kind', call.option('kind'), kinds)
}

function existingSimulator(call: Call): string {
  const directory = simulatorDirectory(call)
  if (simulatorExists(directory)) return directory
  throw new CliError('simulator-missing', `there is no simulated platform in ${directory}`, {
    hint: 'casemate up --tour makes one; casemate platform says why no hardware attests',
  })
}

/**
 * Opens the simulator in a directory, or makes one there.
 * @throws {CliError} file-malformed
 */
export async function openSimulator(directory: string, now: Date): Promise<Simulator> {
  const platform = await openPlatform(directory, now)
  const driver = (kind: Quote['kind'], code: string) => simulatedDriver(platform, { kind, code })
  return {
    attester: (kind, code) => (kind === 'sample' ? SAMPLE : kbsAttester(driver(kind, code), null)),
    tdxQuote: async (reportData, code) => (await driver('tdx', code).quote(reportData)).evidence,
    ...platform.trust,
  }
}

/** A guest with no TEE at all. */
const SAMPLE: Attester = { tee: 'sample', evidence: async reportData => sampleKbsEvidence(reportData) }

async function openPlatform(directory: string, now: Date): Promise<SimulatedPlatform> {
  try {
    return await openSimulatedPlatform(directory, now)
  } catch (error) {
    if (!(error instanceof EnclaveError)) throw error
    throw new CliError('file-malformed', error.message, {
      hint: 'remove the directory, and casemate up --tour makes a new one',
      cause: error,
    })
  }
}
