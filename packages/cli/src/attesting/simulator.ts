// The simulated platform that the tour left behind, under a root of its own.

import { join } from 'node:path'
import type { Attester } from '@casemate/client'
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
import { type EndorsementSource, encodeKbsEvidence, type TrustAnchor } from '@casemate/evidence'
import { DEFAULT_DATA_DIRECTORY, SIMULATOR_DIRECTORY } from '../broker/data-directory.ts'
import type { Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { DEFAULT_KIND, QUOTED_KINDS, type QuotedKind, SIMULATED_KINDS } from '../kinds/kinds.ts'
import { readWord } from '../typed/flag-values.ts'

type SimulatedKind = (typeof SIMULATED_KINDS)[number]

/** Both vendors' virtual machines. */
export interface Simulator {
  readonly attester: (kind: SimulatedKind, code: string) => Attester
  /** One piece of binary evidence of the default kind, as it could be captured from a machine. */
  readonly quote: (reportData: Uint8Array, code: string) => Promise<Uint8Array>
  /** What a verifier has to be given to accept their evidence, as simulated. */
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly EndorsementSource[]
}

/**
 * The attester of the machine that `--kind` and `--simulator` name.
 * @throws {CliError} simulator-missing, flag-value-invalid
 */
export async function openSimulatedAttester(call: Call): Promise<Attester> {
  const kind = kindOf(call, SIMULATED_KINDS)
  const simulator = await openSimulator(existingSimulator(call), call.terminal.now())
  return simulator.attester(kind, call.option('code') ?? DEMO_CODE)
}

/** Its driver, of an enclave on it where one is named. @throws as `openSimulatedAttester` */
export async function openSimulatedDriver(
  call: Call,
  enclave?: EnclaveStatement,
): Promise<AttestationDriver> {
  const kind = kindOf(call, QUOTED_KINDS)
  const platform = await openPlatform(existingSimulator(call), call.terminal.now())
  const code = { kind, code: call.option('code') ?? DEMO_CODE }
  return simulatedDriver(platform, enclave === undefined ? code : { ...code, enclave })
}

/** What a verifier has to be given to accept the simulator's evidence. @throws {CliError} simulator-missing */
export async function simulatedTrust(call: Call): Promise<SimulatedTrust> {
  return (await openPlatform(existingSimulator(call), call.terminal.now())).trust
}

function kindOf<Kind extends SimulatedKind>(call: Call, kinds: readonly [Kind, ...Kind[]]): Kind {
  return readWord('kind', call.option('kind'), kinds)
}

function simulatorDirectory(call: Call): string {
  const data = call.terminal.env['CASEMATE_DATA_DIR'] ?? DEFAULT_DATA_DIRECTORY
  return call.option('simulator') ?? join(data, SIMULATOR_DIRECTORY)
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
    attester: (kind, code) => (isQuoted(kind) ? kbsAttester(driver(kind, code), null) : unsigned(kind)),
    quote: async (reportData, code) => (await driver(DEFAULT_KIND, code).quote(reportData)).evidence,
    ...platform.trust,
  }
}

function isQuoted(kind: SimulatedKind): kind is QuotedKind {
  return QUOTED_KINDS.some(one => one === kind)
}

/** A guest with no TEE at all. */
function unsigned(tee: SimulatedKind): Attester {
  return { tee, evidence: async reportData => encodeKbsEvidence(tee, reportData, null) }
}

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
