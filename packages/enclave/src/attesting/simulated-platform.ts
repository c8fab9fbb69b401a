// A simulated machine in a directory: a platform of each vendor under a random root of its own, made once and kept. Several processes may open, and even make, the same one at the same time.
import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EndorsementSource, TrustAnchor } from '@casemate/evidence'
import type { Platforms, VendorName } from '@casemate/simulator'
import { EnclaveError } from '../errors.ts'
import { SIMULATOR_FILES, vendorFile } from './simulator-files.ts'

/** With this, a verifier accepts the evidence of a simulated platform, as simulated. */
export interface SimulatedTrust {
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly EndorsementSource[]
}

/** A virtual machine of each vendor. */
export interface SimulatedPlatform extends Platforms {
  readonly directory: string
  readonly trust: SimulatedTrust
}

/**
 * Opens the simulator in a directory, or makes one there: private keys with mode 0600, and `public-trust.json`,
 * which holds none and is what `casemate verify --trust` reads. Endorsements are issued as of `now`.
 * @throws {EnclaveError} simulator-invalid
 */
export async function openSimulatedPlatform(directory: string, now: Date): Promise<SimulatedPlatform> {
  const { VENDORS } = await import('@casemate/simulator')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const platforms = new Map<string, Platforms[VendorName]>()
  for (const [vendor, { create, reopen: read }] of Object.entries(VENDORS)) {
    const reopening = { read: (stored: unknown) => read(stored, { now }), create: () => create({ now }) }
    platforms.set(vendor, await reopen<Platforms[VendorName]>(vendorFile(directory, vendor), reopening))
  }
  const all = [...platforms.values()]
  const trusts = all.map(one => one.publicTrust())
  const trust = {
    anchors: trusts.flatMap(one => one.anchors),
    endorsements: trusts.flatMap(one => one.endorsements),
  }
  const draft = writeDraft(join(directory, SIMULATOR_FILES.trust), JSON.stringify(trust, null, 2))
  renameSync(draft, join(directory, SIMULATOR_FILES.trust))
  return {
    directory,
    ...(Object.fromEntries(platforms) as unknown as Platforms),
    trust: {
      anchors: all.flatMap(one => one.anchors),
      endorsements: all.flatMap((one): readonly EndorsementSource[] => one.endorsements),
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
