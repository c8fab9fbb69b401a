// An attester for a laptop: the simulator's platform that the tour left behind, under a root of its own.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AttestedSession, type Attester, attest, fetchInfo, type KeyType } from '@casemate/client'
import type { EndorsementSource, TrustAnchor } from '@casemate/evidence'
import type { Call, Flag } from './command.ts'
import { DEFAULT_DATA_DIRECTORY, serverOf } from './connection.ts'
import { CliError } from './failure.ts'

/** The flags of every command that attests. */
export const SIMULATOR_FLAGS = {
  kind: { value: 'KIND', summary: 'tdx (default), sgx, snp or sample' },
  simulator: { value: 'DIR', summary: 'the simulated platform (default .casemate/simulator)' },
} as const satisfies Record<string, Flag>

/** Kinds of evidence that can be simulated. */
const KINDS = ['tdx', 'sgx', 'snp', 'sample'] as const
type SimulatedKind = (typeof KINDS)[number]

/** Both vendors' virtual machines. */
export interface Simulator {
  readonly attester: (kind: SimulatedKind) => Attester
  /** What a verifier has to be given to accept their evidence, as simulated. */
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly EndorsementSource[]
}

/** Where the simulator is kept. */
export function simulatorDirectory(call: Call): string {
  const data = call.terminal.env['CASEMATE_DATA_DIR'] ?? DEFAULT_DATA_DIRECTORY
  return call.option('simulator') ?? join(data, 'simulator')
}

/** Attests with the simulator, under whatever issuer the broker states. */
export async function attestSimulated(call: Call, keyType: KeyType): Promise<AttestedSession> {
  const attester = await openSimulatedAttester(call)
  const { fetch, progress } = call.terminal
  const url = serverOf(call)
  const { issuer } = await fetchInfo({ url, fetch })
  return progress('attesting', attest({ url, attester, keyType, issuer, fetch }))
}

/** The attester that `--kind` and `--simulator` name. @throws {CliError} simulator-missing, flag-value-invalid */
async function openSimulatedAttester(call: Call): Promise<Attester> {
  const typed = call.option('kind') ?? 'tdx'
  const kind = KINDS.find(one => one === typed)
  if (kind === undefined) {
    throw new CliError('flag-value-invalid', `--kind is ${typed}`, { hint: `one of ${KINDS.join(', ')}` })
  }
  const directory = simulatorDirectory(call)
  if (!existsSync(join(directory, FILES.intel))) {
    throw new CliError('simulator-missing', `there is no simulated platform in ${directory}`, {
      hint: 'casemate up --tour makes one; on real hardware the workload attests by itself',
    })
  }
  return (await openSimulator(directory, call.terminal.now())).attester(kind)
}

/** Half of AMD’s own: keys that prove nothing need not take seconds to make. */
const AMD_MODULUS_BITS = 2048

const FILES = { intel: 'intel.json', amd: 'amd.json', trust: 'public-trust.json' } as const

/**
 * Opens the simulator in a directory, or makes one there: private keys with mode 0600, and `public-trust.json`,
 * which holds none and is what `casemate verify --trust` reads.
 */
export async function openSimulator(directory: string, now: Date): Promise<Simulator> {
  const simulator = await import('@casemate/simulator')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const intel = await reopen(join(directory, FILES.intel), {
    read: stored => simulator.intelPlatformFromJSON(stored as never, { now }),
    create: () => simulator.createIntelPlatform({ now }),
  })
  const amd = await reopen(join(directory, FILES.amd), {
    read: stored => simulator.amdPlatformFromJSON(stored as never, { now }),
    create: () => simulator.createAmdPlatform({ now, modulusBits: AMD_MODULUS_BITS }),
  })
  const trusts = [intel.publicTrust(), amd.publicTrust()]
  const trust = {
    anchors: trusts.flatMap(one => one.anchors),
    endorsements: trusts.flatMap(one => one.endorsements),
  }
  writeFileSync(join(directory, FILES.trust), JSON.stringify(trust, null, 2))
  const evidence: Record<SimulatedKind, (reportData: Uint8Array) => Promise<unknown>> = {
    tdx: async reportData => simulator.tdxKbsEvidence(intel.tdxQuote({ reportData })),
    sgx: async reportData => simulator.sgxKbsEvidence(intel.sgxQuote({ reportData })),
    snp: async reportData => amd.kbsEvidence(amd.snpReport({ reportData })),
    sample: async reportData => simulator.sampleKbsEvidence(reportData),
  }
  return {
    attester: kind => ({ tee: kind, evidence: evidence[kind] }),
    anchors: [...intel.anchors, ...amd.anchors],
    endorsements: [...intel.endorsements, ...amd.endorsements],
  }
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
  writeFileSync(path, JSON.stringify(made.toJSON()), { mode: 0o600 })
  chmodSync(path, 0o600)
  return made
}
