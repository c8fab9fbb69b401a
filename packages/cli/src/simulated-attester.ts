// An attester for a laptop: the simulator's platform that the tour left behind, under a root of its own.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AttestedSession, type Attester, attest, fetchInfo, type KeyType } from '@casemate/client'
import type { EndorsementSource, TrustAnchor } from '@casemate/evidence'
import type { Call, Flag } from './command.ts'
import { brokerOf } from './connection.ts'
import {
  DEFAULT_DATA_DIRECTORY,
  SIMULATOR_DIRECTORY,
  SIMULATOR_FILES,
  simulatorExists,
  writeWhole,
} from './data-directory.ts'
import { CliError } from './failure.ts'

/** The code that a virtual machine runs unless told otherwise; its measurements are hashes of the name. */
export const DEMO_CODE = 'demo'

/** The flags of every command that attests. */
export const SIMULATOR_FLAGS = {
  kind: { value: 'KIND', summary: 'tdx (default), sgx, snp or sample' },
  code: { value: 'NAME', summary: `pretend to run other code (default ${DEMO_CODE}, which the tour knows)` },
  simulator: { value: 'DIR', summary: 'the simulated platform (default .casemate/simulator)' },
} as const satisfies Record<string, Flag>

/** Kinds of evidence that can be simulated. */
const KINDS = ['tdx', 'sgx', 'snp', 'sample'] as const
type SimulatedKind = (typeof KINDS)[number]

/** Both vendors' virtual machines. */
export interface Simulator {
  readonly attester: (kind: SimulatedKind, code: string) => Attester
  /** One binary TDX quote, as it could be captured from a machine. */
  readonly tdxQuote: (reportData: Uint8Array, code: string) => Uint8Array
  /** What a verifier has to be given to accept their evidence, as simulated. */
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly EndorsementSource[]
}

function simulatorDirectory(call: Call): string {
  const data = call.terminal.env['CASEMATE_DATA_DIR'] ?? DEFAULT_DATA_DIRECTORY
  return call.option('simulator') ?? join(data, SIMULATOR_DIRECTORY)
}

/** Attests with the simulator, under whatever issuer the broker states. */
export async function attestSimulated(call: Call, keyType: KeyType): Promise<AttestedSession> {
  const attester = await openSimulatedAttester(call)
  const broker = brokerOf(call)
  const { issuer } = await fetchInfo(broker)
  return call.terminal.progress('attesting', attest({ ...broker, attester, keyType, issuer }))
}

/** The attester that `--kind` and `--simulator` name. @throws {CliError} simulator-missing, flag-value-invalid */
async function openSimulatedAttester(call: Call): Promise<Attester> {
  const typed = call.option('kind') ?? 'tdx'
  const kind = KINDS.find(one => one === typed)
  if (kind === undefined) {
    throw new CliError('flag-value-invalid', `--kind is ${typed}`, { hint: `one of ${KINDS.join(', ')}` })
  }
  const directory = simulatorDirectory(call)
  if (!simulatorExists(directory)) {
    throw new CliError('simulator-missing', `there is no simulated platform in ${directory}`, {
      hint: 'casemate up --tour makes one; on real hardware the workload attests by itself',
    })
  }
  return (await openSimulator(directory, call.terminal.now())).attester(
    kind,
    call.option('code') ?? DEMO_CODE,
  )
}

/** Half of AMD’s own: keys that prove nothing need not take seconds to make. */
const AMD_MODULUS_BITS = 2048

/**
 * Opens the simulator in a directory, or makes one there: private keys with mode 0600, and `public-trust.json`,
 * which holds none and is what `casemate verify --trust` reads.
 */
export async function openSimulator(directory: string, now: Date): Promise<Simulator> {
  const simulator = await import('@casemate/simulator')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const intel = await reopen(join(directory, SIMULATOR_FILES.intel), {
    read: stored => simulator.intelPlatformFromJSON(stored as never, { now }),
    create: () => simulator.createIntelPlatform({ now }),
  })
  const amd = await reopen(join(directory, SIMULATOR_FILES.amd), {
    read: stored => simulator.amdPlatformFromJSON(stored as never, { now }),
    create: () => simulator.createAmdPlatform({ now, modulusBits: AMD_MODULUS_BITS }),
  })
  const trusts = [intel.publicTrust(), amd.publicTrust()]
  const trust = {
    anchors: trusts.flatMap(one => one.anchors),
    endorsements: trusts.flatMap(one => one.endorsements),
  }
  writeWhole(join(directory, SIMULATOR_FILES.trust), JSON.stringify(trust, null, 2))
  const tdxQuote: Simulator['tdxQuote'] = (reportData, code) =>
    intel.tdxQuote({ reportData, ...tdxCode(code) })
  const evidence: Record<SimulatedKind, (reportData: Uint8Array, code: string) => unknown> = {
    tdx: (reportData, code) => simulator.tdxKbsEvidence(tdxQuote(reportData, code)),
    sgx: (reportData, code) => simulator.sgxKbsEvidence(intel.sgxQuote({ reportData, ...sgxCode(code) })),
    snp: (reportData, code) => amd.kbsEvidence(amd.snpReport({ reportData, ...snpCode(code) })),
    sample: reportData => simulator.sampleKbsEvidence(reportData),
  }
  return {
    attester: (kind, code) => ({ tee: kind, evidence: async reportData => evidence[kind](reportData, code) }),
    tdxQuote,
    anchors: [...intel.anchors, ...amd.anchors],
    endorsements: [...intel.endorsements, ...amd.endorsements],
  }
}

/** A virtual TD's firmware, kernel and command line. */
function tdxCode(code: string): {
  readonly mrTd: Uint8Array
  readonly rtmr1: Uint8Array
  readonly rtmr2: Uint8Array
} {
  return {
    mrTd: measure('sha384', code, 'firmware'),
    rtmr1: measure('sha384', code, 'kernel'),
    rtmr2: measure('sha384', code, 'command line'),
  }
}

function sgxCode(code: string): { readonly mrEnclave: Uint8Array; readonly mrSigner: Uint8Array } {
  return { mrEnclave: measure('sha256', code, 'enclave'), mrSigner: measure('sha256', code, 'signer') }
}

function snpCode(code: string): { readonly measurement: Uint8Array } {
  return { measurement: measure('sha384', code, 'launch') }
}

function measure(algorithm: 'sha256' | 'sha384', code: string, part: string): Uint8Array {
  return new Uint8Array(createHash(algorithm).update(`${code} ${part}`).digest())
}

interface Reopening<Platform> {
  readonly read: (stored: unknown) => Promise<Platform>
  readonly create: () => Promise<Platform>
}

async function reopen<Platform extends { toJSON(): unknown }>(
  path: string,
  { read, create }: Reopening<Platform>,
): Promise<Platform> {
  if (existsSync(path)) {
    try {
      return await read(JSON.parse(readFileSync(path, 'utf8')))
    } catch (cause) {
      throw new CliError('file-malformed', `${path} is not a simulated platform`, {
        hint: 'remove the directory, and casemate up --tour makes a new one',
        cause,
      })
    }
  }
  const made = await create()
  writeWhole(path, JSON.stringify(made.toJSON()))
  return made
}
