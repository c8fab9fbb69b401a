// RTMR3 of a TD, which Linux 6.16 and later offer as a file: reading gives 48 bytes, writing 48 bytes extends. A TD that
// writes its enclave there when it starts cannot state another one later, whatever takes it over in between.
import { join } from 'node:path'
import { extendedRegister, statementDigest } from '@casemate/evidence'
import { equal, isZero } from '@casemate/evidence/bytes'
import { EnclaveError } from '../errors.ts'
import { errnoOf, type PlatformFiles } from './platform-files.ts'
import type { EnclaveStatement } from './statement.ts'

/** Below the root of the file system. */
export const REGISTER_FILE = 'sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384'

const REGISTER_SIZE = 48

/**
 * `extended`: RTMR3 shows this enclave alone. `taken`: something else was extended into it before, so that it can show no
 * enclave any more, and was left as it is. `absent`: this kernel offers no register.
 */
export type RegisterState = 'extended' | 'taken' | 'absent'

/** Shows the enclave in RTMR3, once for the life of the TD. @throws {EnclaveError} attestation-failed */
export async function extendRegister(
  files: PlatformFiles,
  root: string,
  statement: EnclaveStatement,
): Promise<RegisterState> {
  const path = join(root, REGISTER_FILE)
  const wanted = await extendedRegister(statement)
  const before = await readRegister(files, path)
  if (before === null) return 'absent'
  if (equal(before, wanted)) return 'extended'
  if (!isZero(before)) return 'taken'
  await writeRegister(files, path, await statementDigest(statement))
  const after = await readRegister(files, path)
  // Extending is not comparing and swapping: whoever was in between is in the register as well.
  return after !== null && equal(after, wanted) ? 'extended' : 'taken'
}

async function readRegister(files: PlatformFiles, path: string): Promise<Uint8Array | null> {
  try {
    const value = await files.read(path, REGISTER_SIZE)
    if (value.length === REGISTER_SIZE) return value
    throw new EnclaveError('attestation-failed', `${path} has ${value.length} bytes, want ${REGISTER_SIZE}`)
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return null
    throw failed(path, 'read', cause)
  }
}

async function writeRegister(files: PlatformFiles, path: string, digest: Uint8Array): Promise<void> {
  try {
    await files.write(path, digest)
  } catch (cause) {
    throw failed(path, 'extended', cause)
  }
}

function failed(path: string, what: string, cause: unknown): EnclaveError {
  if (cause instanceof EnclaveError) return cause
  const message = `${path} cannot be ${what} (${errnoOf(cause) || 'unknown error'})`
  return new EnclaveError('attestation-failed', message, { hint: 'only root may extend RTMR3', cause })
}
