// Which driver fits the machine that this process runs on, and of each that does not, why: what is missing is often a mount,
// a module or a permission, and not the hardware.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { EnclaveError } from '../errors.ts'
import type { AttestationDriver } from './driver.ts'
import { GRAMINE_DIRECTORY, openGramineDriver, wrongType } from './gramine.ts'
import { errnoOf, type PlatformFiles, readWord, SYSTEM_FILES } from './platform-files.ts'
import { openTsmDriver, TSM_DIRECTORY } from './tsm.ts'
import { DIRECTORY_REASONS } from './tsm-failures.ts'
import { TSM_PROVIDERS, type TsmProvider } from './tsm-providers.ts'

/** Drivers that ask hardware, in the order in which they are looked for: innermost first. */
export const DRIVER_NAMES: readonly DriverName[] = [
  'gramine',
  ...(Object.keys(TSM_PROVIDERS) as readonly TsmProvider[]),
]
export type DriverName = 'gramine' | TsmProvider

/** The findings about one driver. */
export interface Looked {
  readonly driver: DriverName
  readonly fits: boolean
  readonly reason: string
  /** For a person: how to mend it; null if it fits, or nothing can be done. */
  readonly hint: string | null
}

export interface Detection {
  /** Null if nothing here gives evidence. */
  readonly driver: DriverName | null
  readonly looked: readonly Looked[]
}

export interface DetectionOptions {
  /** Default: `/`. */
  readonly root?: string
  readonly files?: PlatformFiles
}

/** Looks at the machine; an entry is made with the kernel and removed, and nothing is signed. */
export async function detectPlatform({
  root = '/',
  files = SYSTEM_FILES,
}: DetectionOptions = {}): Promise<Detection> {
  const looked = [await lookForGramine(files, root), ...(await lookForTsm(files, root))]
  return { driver: looked.find(({ fits }) => fits)?.driver ?? null, looked }
}

/**
 * The driver that fits this machine.
 * @throws {EnclaveError} attestation-unavailable, with what was found out about each
 */
export async function openDriver(options: DetectionOptions = {}): Promise<AttestationDriver> {
  const { driver, looked } = await detectPlatform(options)
  if (driver === 'gramine') return openGramineDriver(options)
  if (driver !== null) return openTsmDriver({ ...options, provider: driver })
  const reasons = looked.map(one => `${one.driver}: ${one.reason}`).join('; ')
  throw new EnclaveError('attestation-unavailable', `nothing on this machine gives evidence (${reasons})`, {
    hint: 'casemate platform says what is missing; on a laptop, use the simulated platform',
  })
}

async function lookForGramine(files: PlatformFiles, root: string): Promise<Looked> {
  const of = (fits: boolean, reason: string, hint: string | null): Looked => ({
    driver: 'gramine',
    fits,
    reason,
    hint,
  })
  try {
    const type = await readWord(files, join(root, GRAMINE_DIRECTORY, 'attestation_type'))
    if (type === 'dcap') return of(true, 'the process runs under Gramine on SGX, which attests by DCAP', null)
    return of(
      false,
      wrongType(type),
      'set sgx.remote_attestation = "dcap" in the manifest, and sign it again',
    )
  } catch (error) {
    const errno = errnoOf(error)
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') {
      return of(
        false,
        `/${GRAMINE_DIRECTORY} is there and cannot be read (${errno})`,
        'allow the file in the manifest',
      )
    }
  }
  if (await seems(files, join(root, 'dev/sgx_enclave'))) {
    return of(false, 'SGX is there, but this process does not run under Gramine', 'run it with gramine-sgx')
  }
  return of(false, `the process does not run under Gramine: no /${GRAMINE_DIRECTORY}`, null)
}

/** The kernel has one provider at most: what it says, or why it says nothing, is about both. */
async function lookForTsm(files: PlatformFiles, root: string): Promise<readonly Looked[]> {
  const found = await probe(files, join(root, TSM_DIRECTORY))
  const providers = Object.keys(TSM_PROVIDERS) as TsmProvider[]
  return Promise.all(providers.map(driver => lookFor(files, root, { driver, found })))
}

/** Name of the provider, or the errno with which none is to be had. */
type Probe = { readonly provider: string } | { readonly errno: string }

async function probe(files: PlatformFiles, directory: string): Promise<Probe> {
  const entry = join(directory, `casemate-${randomUUID()}`)
  try {
    // Elsewhere a directory could be made below one that is not the kernel's.
    if (!(await files.isThere(directory))) return { errno: 'ENOENT' }
    await files.makeDirectory(entry)
  } catch (error) {
    return { errno: errnoOf(error) }
  }
  try {
    return { provider: await readWord(files, join(entry, 'provider')) }
  } catch (error) {
    return { errno: errnoOf(error) }
  } finally {
    await files.removeDirectory(entry).catch(() => {})
  }
}

async function lookFor(
  files: PlatformFiles,
  root: string,
  { driver, found }: { readonly driver: TsmProvider; readonly found: Probe },
): Promise<Looked> {
  if ('provider' in found) return judgeProvider(driver, found.provider)
  const { machine, devices, cpuFlag } = TSM_PROVIDERS[driver]
  if (cpuFlag !== null && (await lacksFlag(files, root, cpuFlag))) {
    const reason = `this is ${machine.replace(/^a /, 'no ')}: its processors show no ${cpuFlag}`
    return { driver, fits: false, reason, hint: null }
  }
  const device = await firstThere(files, root, devices)
  const here = device === null ? '' : `; the device /${device} is there, so that this is ${machine}`
  const { reason, hint } = await explain(files, root, {
    driver,
    errno: found.errno,
    hasDevice: device !== null,
  })
  return { driver, fits: false, reason: `${reason}${here}`, hint }
}

function judgeProvider(driver: TsmProvider, provider: string): Looked {
  if (provider === driver) {
    const reason = `this is ${TSM_PROVIDERS[driver].machine}, whose kernel gives reports`
    return { driver, fits: true, reason, hint: null }
  }
  const known = provider in TSM_PROVIDERS ? '' : ', which is not read here'
  const reason = `the kernel's provider is ${JSON.stringify(provider.slice(0, 64))}${known}`
  return { driver, fits: false, reason, hint: null }
}

interface Missing {
  readonly driver: TsmProvider
  readonly errno: string
  readonly hasDevice: boolean
}

async function explain(
  files: PlatformFiles,
  root: string,
  { driver, errno, hasDevice }: Missing,
): Promise<{ readonly reason: string; readonly hint: string | null }> {
  const { module } = TSM_PROVIDERS[driver]
  const [reason, hint] = DIRECTORY_REASONS[errno] ?? [`/${TSM_DIRECTORY} cannot be used (${errno})`, null]
  if (errno !== 'ENOENT' && errno !== 'ENXIO') return { reason, hint }
  if (await isAzure(files, root)) {
    const reason = 'this is Azure, whose paravisor keeps the device of a confidential machine from its kernel'
    return { reason, hint: 'evidence comes by the vTPM there, which is not read here' }
  }
  if (errno === 'ENXIO') return { reason, hint: `modprobe ${module}` }
  const release = await kernelRelease(files, root)
  if (release !== null && isBefore67(release)) {
    return { reason: `Linux ${release} gives no reports`, hint: 'use Linux 6.7 or later' }
  }
  if (!(await seems(files, join(root, 'sys/kernel/config')))) {
    return { reason: 'configfs is not there', hint: 'mount -t configfs none /sys/kernel/config' }
  }
  const loading = `modprobe ${module}, and mount -t configfs none /sys/kernel/config where that is empty`
  return { reason: `the kernel offers no reports: no /${TSM_DIRECTORY}`, hint: hasDevice ? loading : null }
}

/** Where nothing is shown, nothing is known. */
async function lacksFlag(files: PlatformFiles, root: string, flag: string): Promise<boolean> {
  try {
    const text = new TextDecoder().decode(await files.read(join(root, 'proc/cpuinfo'), MAX_CPUINFO_BYTES))
    const flags = /^flags\s*:(.*)$/m.exec(text)?.[1]?.split(' ')
    return flags !== undefined && !flags.includes(flag)
  } catch {
    return false
  }
}

/** Some 1.5 KB for each of at most some thousand processors. */
const MAX_CPUINFO_BYTES = 8 * 1024 * 1024

async function isAzure(files: PlatformFiles, root: string): Promise<boolean> {
  const vendor = await readOrNull(files, join(root, 'sys/class/dmi/id/sys_vendor'))
  return vendor?.startsWith('Microsoft') === true
}

async function kernelRelease(files: PlatformFiles, root: string): Promise<string | null> {
  return readOrNull(files, join(root, 'proc/sys/kernel/osrelease'))
}

function isBefore67(release: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? []
  return major !== undefined && (Number(major) < 6 || (Number(major) === 6 && Number(minor) < 7))
}

async function readOrNull(files: PlatformFiles, path: string): Promise<string | null> {
  try {
    return await readWord(files, path)
  } catch {
    return null
  }
}

async function firstThere(
  files: PlatformFiles,
  root: string,
  paths: readonly string[],
): Promise<string | null> {
  for (const path of paths) if (await seems(files, join(root, path))) return path
  return null
}

/** A file that may not be looked at is there: somebody hides it from us. */
async function seems(files: PlatformFiles, path: string): Promise<boolean> {
  try {
    return await files.isThere(path)
  } catch {
    return true
  }
}
