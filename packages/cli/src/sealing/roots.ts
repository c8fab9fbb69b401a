// The root that a command was told to use, opened as the enclave that it was told to be.

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { keepMemoryPrivate } from '@casemate/agent/private-memory'
import {
  type EnclaveStatement,
  kbsAttester,
  openBrokerRoot,
  openGramineRoot,
  openSimulatedRoot,
  type SealingRoot,
} from '@casemate/enclave'
import { attestWith, openEnclaveDriver } from '../attesting/attester.ts'
import { ATTESTER_FLAGS } from '../attesting/flags.ts'
import { DEFAULT_DATA_DIRECTORY, SEALING_ROOT_FILE } from '../broker/data-directory.ts'
import { type Call, type Flag, SERVER_FLAGS } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { notWritable } from '../files/input-files.ts'
import { kindsToChoose, QUOTED_KINDS } from '../kinds/kinds.ts'

export const ROOTS = ['simulated', 'gramine', 'broker'] as const
export type RootName = (typeof ROOTS)[number]

/** How the broker is reached, for the commands that open its root. */
export const BROKER_FLAGS = {
  server: SERVER_FLAGS.server,
  'ca-file': SERVER_FLAGS['ca-file'],
  ...ATTESTER_FLAGS,
  kind: {
    value: 'KIND',
    takes: QUOTED_KINDS,
    summary: `of the simulated platform: ${kindsToChoose(QUOTED_KINDS)}`,
  },
} as const satisfies Record<string, Flag>

export interface WantedRoot {
  readonly name: RootName
  /** Of the data key in the broker; null for the other roots. */
  readonly keyPath: string | null
  /** Whether a simulated root may be made: not for opening what another one sealed. */
  readonly mayCreate: boolean
}

/**
 * Opens it. The broker is told by attestation which enclave asks, and decides.
 * @throws {CliError} argument-missing, file-not-readable @throws {EnclaveError} root-unsafe, root-invalid
 * @throws {BrokerRefusal} @throws {Unavailable} @throws {ClientConfigError}
 */
export async function openRoot(
  call: Call,
  { name, keyPath, mayCreate }: WantedRoot,
  statement: EnclaveStatement,
): Promise<SealingRoot> {
  switch (name) {
    case 'simulated':
      return openLocalRoot(call, mayCreate)
    case 'gramine':
      return openGramineRoot()
    case 'broker':
      return fetchRoot(call, keyPath ?? '', statement)
    default:
      return name satisfies never
  }
}

/** The simulated root of this data directory. @throws {CliError} file-not-readable, file-not-writable, disk-full */
export function openLocalRoot(call: Call, mayCreate: boolean): SealingRoot {
  const directory = call.terminal.env['CASEMATE_DATA_DIR'] ?? DEFAULT_DATA_DIRECTORY
  const path = join(directory, SEALING_ROOT_FILE)
  if (!mayCreate && !existsSync(path)) {
    throw new CliError('file-not-readable', `there is no simulated root ${path}`, {
      hint: 'it is made by whatever seals first; CASEMATE_DATA_DIR says where another one is',
    })
  }
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw notWritable(directory, cause)
  }
  return openSimulatedRoot({ path })
}

async function fetchRoot(call: Call, path: string, statement: EnclaveStatement): Promise<SealingRoot> {
  const { terminal } = call
  keepMemoryPrivate(terminal.tell)
  const driver = await openEnclaveDriver(call, statement)
  if (driver.simulated) terminal.tell('the platform is simulated: nothing about hardware is proved')
  const session = await attestWith(kbsAttester(driver, statement), call, 'P-256')
  const key = await session.getSecret(path)
  try {
    return openBrokerRoot({ path, key })
  } finally {
    key.fill(0)
  }
}
