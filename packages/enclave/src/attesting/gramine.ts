// Gramine's /dev/attestation: 64 bytes into `user_report_data`, then the quote that holds them out of `quote`. The files
// are the process's own, and it has one set: whoever uses them takes turns.
import { join } from 'node:path'
import { equal } from '@casemate/evidence/bytes'
import { EnclaveError } from '../errors.ts'
import { reportDataIn } from './asked-for.ts'
import { ATTESTATION_TIMEOUT_MS, withinTime } from './deadline.ts'
import { type AttestationDriver, checkReportData } from './driver.ts'
import { errnoOf, type PlatformFiles, readWord, SYSTEM_FILES } from './platform-files.ts'

/** Below the root of the file system. */
export const GRAMINE_DIRECTORY = 'dev/attestation'

/** An SGX quote with its certificates has some 5 KB; Gramine's own buffer has 8. */
const MAX_QUOTE_BYTES = 64 * 1024
/** Somebody else in this process may use the files without taking turns. */
const TRIES = 3

export interface GramineDriverOptions {
  /** Default: `/`. */
  readonly root?: string
  /** Default: {@link ATTESTATION_TIMEOUT_MS}. */
  readonly timeoutMs?: number
  readonly files?: PlatformFiles
}

/** @throws {EnclaveError} attestation-unavailable where Gramine was not told to attest */
export async function openGramineDriver(options: GramineDriverOptions = {}): Promise<AttestationDriver> {
  const { root = '/', files = SYSTEM_FILES, timeoutMs = ATTESTATION_TIMEOUT_MS } = options
  const directory = join(root, GRAMINE_DIRECTORY)
  const type = await attestationType(files, directory)
  if (type !== 'dcap') throw new EnclaveError('attestation-unavailable', wrongType(type), WRONG_TYPE)
  return {
    kind: 'sgx',
    simulated: false,
    source: directory,
    quote: async reportData => {
      checkReportData(reportData)
      const own = reportData.slice()
      const evidence = await withinTime(timeoutMs, signal =>
        inTurn(directory, () => quote(files, directory, { reportData: own, signal })),
      )
      return { kind: 'sgx', evidence, certificateTable: null }
    },
  }
}

/** `none` or `dcap`; `epid` where Gramine is old. @throws {EnclaveError} attestation-unavailable */
async function attestationType(files: PlatformFiles, directory: string): Promise<string> {
  try {
    return await readWord(files, join(directory, 'attestation_type'))
  } catch (cause) {
    const hint = 'run the process with gramine-sgx'
    const message = `${directory} cannot be read (${errnoOf(cause) || 'unknown error'})`
    throw new EnclaveError('attestation-unavailable', message, { hint, cause })
  }
}

const WRONG_TYPE = {
  expected: 'dcap',
  hint: 'set sgx.remote_attestation = "dcap" in the manifest, and sign it again',
} as const

/** For people: why an attestation type does not do. */
export function wrongType(type: string): string {
  if (type === 'none') return 'Gramine runs without remote attestation: attestation_type is none'
  return `Gramine attests by ${JSON.stringify(type.slice(0, 32))}, which is not DCAP`
}

interface Asked {
  readonly reportData: Uint8Array
  /** Whoever asked has been told that it took too long. */
  readonly signal: AbortSignal
}

async function quote(
  files: PlatformFiles,
  directory: string,
  { reportData, signal }: Asked,
): Promise<Uint8Array> {
  for (let tries = 0; tries < TRIES; tries++) {
    signal.throwIfAborted()
    const evidence = await ask(files, directory, reportData)
    if (equal(reportDataIn('sgx', evidence), reportData)) return evidence
  }
  throw new EnclaveError('attestation-busy', 'the quote has the report data of somebody else', {
    hint: 'something else in this process writes user_report_data as well; let it go through one driver',
  })
}

async function ask(files: PlatformFiles, directory: string, reportData: Uint8Array): Promise<Uint8Array> {
  try {
    await files.write(join(directory, 'user_report_data'), reportData)
    return await files.read(join(directory, 'quote'), MAX_QUOTE_BYTES)
  } catch (cause) {
    const message = `Gramine gave no quote (${errnoOf(cause) || 'unknown error'})`
    const hint = 'is aesmd running on the host, and its socket reachable? Its log says why there is no quote'
    throw new EnclaveError('attestation-failed', message, { hint, cause })
  }
}

/** The last request of this process to each directory's files. */
const turns = new Map<string, Promise<unknown>>()

async function inTurn<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(directory) ?? Promise.resolve()
  // Whoever went before may have failed: that is theirs.
  const mine = before.then(work, work)
  turns.set(directory, mine)
  try {
    return await mine
  } finally {
    if (turns.get(directory) === mine) turns.delete(directory)
  }
}
