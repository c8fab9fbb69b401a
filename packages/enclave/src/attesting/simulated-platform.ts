// A simulated machine in a directory: one Intel and one AMD platform under random roots of their own, made once and
// kept. Several processes may open, and even make, the same one at the same time.
import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EndorsementSource, TrustAnchor } from '@casemate/evidence'
import type { AmdPlatform, IntelPlatform } from '@casemate/simulator'
import { EnclaveError } from '../errors.ts'
import { SIMULATOR_FILES } from './simulator-files.ts'

/** What a verifier has to be given to accept the evidence of a simulated platform, as simulated. */
export interface SimulatedTrust {
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly EndorsementSource[]
}

/** Both vendors’ virtual machines. */
export interface SimulatedPlatform {
  readonly directory: string
  readonly intel: IntelPlatform
  readonly amd: AmdPlatform
  readonly trust: SimulatedTrust
}

/** Half of AMD’s own: keys that prove nothing need not take seconds to make. */
const AMD_MODULUS_BITS = 2048

/**
 * Opens the simulator in a directory, or makes one there: private keys with mode 0600, and `public-trust.json`,
 * which holds none and is what `casemate verify --trust` reads. Endorsements are issued as of `now`.
 * @throws {EnclaveError} simulator-invalid
 */
export async function openSimulatedPlatform(directory: string, now: Date): Promise<SimulatedPlatform> {
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
  const draft = writeDraft(join(directory, SIMULATOR_FILES.trust), JSON.stringify(trust, null, 2))
  renameSync(draft, join(directory, SIMULATOR_FILES.trust))
  return {
    directory,
    intel,
    amd,
    trust: {
      anchors: [...intel.anchors, ...amd.anchors],
      endorsements: [...intel.endorsements, ...amd.endorsements],
    },
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
  const stored = readIfThere(path)
  if (stored === null) {
    const made = await create()
    // Whoever else made one in the meantime was first: then theirs is the platform.
    if (placeNew(path, JSON.stringify(made.toJSON()))) return made
  }
  try {
    return await read(JSON.parse(stored ?? readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new EnclaveError('simulator-invalid', `${path} is not a simulated platform`, {
      hint: 'remove the directory, and the next start makes a new one',
      cause,
    })
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** Writes a file as a whole, unless there is one: false then. */
function placeNew(path: string, content: string): boolean {
  const draft = writeDraft(path, content)
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Beside the file, and whole before it takes its name. */
function writeDraft(path: string, content: string): string {
  const draft = `${path}.${randomUUID()}.new`
  writeFileSync(draft, content, { mode: 0o600, flag: 'wx' })
  return draft
}
