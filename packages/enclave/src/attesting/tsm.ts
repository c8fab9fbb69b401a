// Linux configfs-tsm (Documentation/ABI/testing/configfs-tsm, since 6.7): a directory for each request, report data into
// `inblob`, evidence out of `outblob`. The kernel looks at what was written only when the file is closed, and then says
// nothing: `generation`, which every accepted write advances by one, shows whether ours was taken, and whether anybody
// else wrote meanwhile.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseCertTable, Refusal } from '@casemate/evidence'
import { equal, toHex } from '@casemate/evidence/bytes'
import { EnclaveError } from '../errors.ts'
import { reportDataIn } from './asked-for.ts'
import { ATTESTATION_TIMEOUT_MS, withinTime } from './deadline.ts'
import { type AttestationDriver, checkReportData, type Quote } from './driver.ts'
import { errnoOf, type PlatformFiles, readWord, SYSTEM_FILES } from './platform-files.ts'
import { extendRegister } from './register.ts'
import { directoryFailure, isPassing, outblobFailure } from './tsm-failures.ts'
import { TSM_PROVIDERS, type TsmProvider } from './tsm-providers.ts'

/** Below the root of the file system. */
export const TSM_DIRECTORY = 'sys/kernel/config/tsm/report'

/** TSM_REPORT_OUTBLOB_MAX. */
const MAX_OUTBLOB_BYTES = 32 * 1024
const MAX_AUXBLOB_BYTES = 64 * 1024
/** The most that 64 bits of `generation` can be; after it comes zero. */
const GENERATIONS = 1n << 64n

/** How often a request is made anew because others were in between, or the quoting service is at work for others. */
export const TSM_TRIES = 5
/** Before the second try; twice as long before each one after it. */
const FIRST_PAUSE_MS = 100

export interface TsmDriverOptions {
  readonly provider: TsmProvider
  /** Default: `/`. */
  readonly root?: string
  /** SEV-SNP: the VMPL to ask for, 0 to 3; default: the most privileged one that this guest may use. */
  readonly privilegeLevel?: number
  /** Default: {@link ATTESTATION_TIMEOUT_MS}. */
  readonly timeoutMs?: number
  readonly files?: PlatformFiles
  /** Sits out the pauses between tries. */
  readonly wait?: (milliseconds: number) => Promise<unknown>
}

interface Tsm {
  readonly provider: TsmProvider
  readonly directory: string
  readonly files: PlatformFiles
  readonly privilegeLevel: number | null
}

/** Evidence by way of the kernel. Nothing is asked for before the first quote. */
export function openTsmDriver(options: TsmDriverOptions): AttestationDriver {
  const { provider, root = '/', files = SYSTEM_FILES, wait = sleep } = options
  const tsm = { provider, directory: join(root, TSM_DIRECTORY), files, privilegeLevel: levelOf(options) }
  const timeoutMs = options.timeoutMs ?? ATTESTATION_TIMEOUT_MS
  return {
    kind: TSM_PROVIDERS[provider].kind,
    simulated: false,
    source: `${tsm.directory} (${provider})`,
    quote: async reportData => {
      checkReportData(reportData)
      const own = reportData.slice()
      return withinTime(timeoutMs, signal => persist(tsm, own, { wait, signal }))
    },
    ...(TSM_PROVIDERS[provider].hasRegister
      ? { extendRegister: statement => extendRegister(files, root, statement) }
      : {}),
  }
}

function levelOf({ privilegeLevel, provider }: TsmDriverOptions): number | null {
  if (privilegeLevel === undefined) return null
  if (TSM_PROVIDERS[provider].hasLevels && [0, 1, 2, 3].includes(privilegeLevel)) return privilegeLevel
  throw new EnclaveError('invalid-parameter', 'the privilege level is not one that the provider has', {
    expected: '0 to 3, of sev_guest',
    got: `${privilegeLevel}, of ${provider}`,
  })
}

interface Persistence {
  readonly wait: (milliseconds: number) => Promise<unknown>
  readonly signal: AbortSignal
}

async function persist(tsm: Tsm, reportData: Uint8Array, { wait, signal }: Persistence): Promise<Quote> {
  for (let tries = 1; ; tries++) {
    try {
      return await requestOnce(tsm, reportData)
    } catch (error) {
      const isBusy = error instanceof EnclaveError && error.code === 'attestation-busy'
      if (!isBusy || tries === TSM_TRIES || signal.aborted) throw error
      await wait(FIRST_PAUSE_MS * 2 ** (tries - 1))
    }
  }
}

async function requestOnce(tsm: Tsm, reportData: Uint8Array): Promise<Quote> {
  // Nobody can know the name before the directory is there.
  const entry = join(tsm.directory, `casemate-${randomUUID()}`)
  try {
    await tsm.files.makeDirectory(entry)
  } catch (error) {
    throw directoryFailure(tsm.directory, error)
  }
  try {
    return await fill(tsm, entry, reportData)
  } finally {
    // An empty entry of ours remains in the kernel's memory: no reason to withhold evidence.
    await tsm.files.removeDirectory(entry).catch(() => {})
  }
}

async function fill(tsm: Tsm, entry: string, reportData: Uint8Array): Promise<Quote> {
  const { kind, hasCertificates } = TSM_PROVIDERS[tsm.provider]
  await demandProvider(tsm, entry)
  const before = await generation(tsm, entry)
  let writes = 0n
  const level = await privilegeLevel(tsm, entry)
  if (level !== null) {
    await write(tsm, join(entry, 'privlevel'), new TextEncoder().encode(String(level)))
    writes++
  }
  await write(tsm, join(entry, 'inblob'), reportData)
  writes++
  const evidence = await readOutblob(tsm, entry)
  const certificateTable = hasCertificates ? await readAuxblob(tsm, entry) : null
  demandGeneration((before + writes) % GENERATIONS, await generation(tsm, entry))
  demandReportData(reportData, reportDataIn(kind, evidence))
  return { kind, evidence, certificateTable }
}

async function demandProvider({ files, provider }: Tsm, entry: string): Promise<void> {
  const got = await readAttribute(files, join(entry, 'provider'))
  if (got === provider) return
  throw new EnclaveError(
    'attestation-failed',
    `the kernel's provider is ${JSON.stringify(got.slice(0, 64))}`,
    {
      expected: provider,
      got: got.slice(0, 64),
      hint: 'casemate platform shows which driver fits this machine',
    },
  )
}

async function generation({ files }: Tsm, entry: string): Promise<bigint> {
  const text = await readAttribute(files, join(entry, 'generation'))
  if (/^\d{1,20}$/.test(text)) return BigInt(text)
  throw new EnclaveError('attestation-failed', 'generation is no number', {
    got: JSON.stringify(text.slice(0, 64)),
  })
}

function demandGeneration(wanted: bigint, got: bigint): void {
  if (got === wanted) return
  const detail = { expected: String(wanted), got: String(got) }
  if (got < wanted) {
    throw new EnclaveError('attestation-busy', 'the kernel did not take what was written', detail)
  }
  throw new EnclaveError('attestation-busy', 'somebody else wrote to our request', detail)
}

/** Nobody else wrote, so that this is the kernel's or the host's doing. */
function demandReportData(wanted: Uint8Array, got: Uint8Array): void {
  if (equal(wanted, got)) return
  const detail = { expected: toHex(wanted), got: toHex(got) }
  throw new EnclaveError(
    'attestation-failed',
    'the evidence has other report data than was asked for',
    detail,
  )
}

/** The lowest that the kernel allows is the most privileged; kernels before 6.10 show no floor where it is 0. */
async function privilegeLevel(
  { files, provider, privilegeLevel: wanted }: Tsm,
  entry: string,
): Promise<number | null> {
  if (!TSM_PROVIDERS[provider].hasLevels || wanted !== null) return wanted
  const path = join(entry, 'privlevel_floor')
  if (!(await files.isThere(path))) return null
  const floor = await readAttribute(files, path)
  return /^[0-3]$/.test(floor) ? Number(floor) : null
}

async function readAttribute(files: PlatformFiles, path: string): Promise<string> {
  try {
    return await readWord(files, path)
  } catch (cause) {
    throw new EnclaveError('attestation-failed', `${path} cannot be read (${errnoOf(cause)})`, { cause })
  }
}

async function write({ files }: Tsm, path: string, bytes: Uint8Array): Promise<void> {
  try {
    await files.write(path, bytes)
  } catch (cause) {
    const code = isPassing(cause) ? 'attestation-busy' : 'attestation-failed'
    throw new EnclaveError(code, `${path} cannot be written (${errnoOf(cause)})`, { cause })
  }
}

async function readOutblob({ files }: Tsm, entry: string): Promise<Uint8Array> {
  let evidence: Uint8Array
  try {
    evidence = await files.read(join(entry, 'outblob'), MAX_OUTBLOB_BYTES)
  } catch (cause) {
    throw outblobFailure(cause, MAX_OUTBLOB_BYTES)
  }
  if (evidence.length > 0) return evidence
  throw new EnclaveError('attestation-failed', 'the kernel gave evidence of no bytes', {
    hint: 'the host has no quoting service, or it refused; its log says why',
  })
}

/** The host's certificates: null if it gives none. They are for the verifier to believe, but have to be a table. */
async function readAuxblob({ files }: Tsm, entry: string): Promise<Uint8Array | null> {
  try {
    const table = await files.read(join(entry, 'auxblob'), MAX_AUXBLOB_BYTES)
    if (table.length === 0) return null
    parseCertTable(table)
    return table
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return null
    const reason = cause instanceof Refusal ? cause.message : errnoOf(cause)
    throw new EnclaveError('attestation-failed', `the host's certificate table cannot be read (${reason})`, {
      hint: 'let the host offer the table of its VCEK, or none',
      cause,
    })
  }
}
