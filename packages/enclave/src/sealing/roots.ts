// The sealing roots of a machine: a file of 32 random bytes where there is no TEE, Gramine's key files inside SGX.
// A root that others can read, or that is no key, is refused; a root is never replaced, since what it sealed goes with it.
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isZero } from '../bytes.ts'
import { EnclaveError } from '../errors.ts'
import { CPU_SVN_SIZE, type SealingRoot } from './root.ts'

/** Of a simulated root, in bytes. */
const SIMULATED_SIZE = 32
/** Of Gramine's sealing keys, in bytes. */
const GRAMINE_SIZE = 16
const GRAMINE_KEYS = '/dev/attestation/keys'

export interface SimulatedRootOptions {
  /** Made where it does not exist, for the owner alone. */
  readonly path: string
  /** 16 bytes, for a machine that is to have one. */
  readonly cpuSvn?: Uint8Array
  /** Default: the operating system’s. */
  readonly random?: (size: number) => Uint8Array
}

/** A root that proves nothing about hardware. @throws {EnclaveError} root-unsafe, root-invalid, invalid-parameter */
export function openSimulatedRoot({ path, cpuSvn, random = randomBytes }: SimulatedRootOptions): SealingRoot {
  if (cpuSvn !== undefined && cpuSvn.length !== CPU_SVN_SIZE) {
    throw new EnclaveError('invalid-parameter', `cpuSvn has ${cpuSvn.length} bytes, want ${CPU_SVN_SIZE}`)
  }
  if (statSync(path, { throwIfNoEntry: false }) === undefined) createRoot(path, random(SIMULATED_SIZE))
  const { mode } = statSync(path)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    const got = (mode & 0o777).toString(8)
    throw new EnclaveError('root-unsafe', `${path} has mode ${got}, want 600`, {
      expected: '600',
      got,
      hint: `chmod 600 ${path}, and think about who may have read it`,
    })
  }
  const secret = readKey(path, SIMULATED_SIZE)
  return { kind: 'simulated', cpuSvn: cpuSvn ?? null, secrets: { mrEnclave: secret, mrSigner: secret } }
}

export interface GramineRootOptions {
  /** Default /dev/attestation/keys. */
  readonly directory?: string
}

/** The keys that EGETKEY gave to Gramine; it does not tell their CPUSVN. @throws {EnclaveError} root-invalid */
export function openGramineRoot({ directory = GRAMINE_KEYS }: GramineRootOptions = {}): SealingRoot {
  return {
    kind: 'gramine',
    cpuSvn: null,
    secrets: {
      mrEnclave: readKey(join(directory, '_sgx_mrenclave'), GRAMINE_SIZE),
      mrSigner: readKey(join(directory, '_sgx_mrsigner'), GRAMINE_SIZE),
    },
  }
}

function readKey(path: string, size: number): KeyObject {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new EnclaveError('root-invalid', `${path} cannot be read`, { cause: error })
  }
  try {
    if (bytes.length !== size || isZero(bytes)) {
      const got = bytes.length === size ? 'nothing but zero' : `${bytes.length} bytes`
      throw new EnclaveError('root-invalid', `${path} holds ${got}, want a key of ${size} bytes`, {
        expected: `${size} bytes`,
        got,
      })
    }
    return createSecretKey(bytes)
  } finally {
    bytes.fill(0)
  }
}

/** All of it or nothing, and durable; where another process was first, its root stands. */
function createRoot(path: string, secret: Uint8Array): void {
  const temporary = `${path}.${process.pid}.new`
  // A crash may have left one.
  rmSync(temporary, { force: true })
  const file = openSync(temporary, 'wx', 0o600)
  try {
    writeSync(file, secret)
    fsyncSync(file)
  } finally {
    closeSync(file)
    secret.fill(0)
  }
  try {
    linkSync(temporary, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(temporary)
  }
  const directory = openSync(dirname(path), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
