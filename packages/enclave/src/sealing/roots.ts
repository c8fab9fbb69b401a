// The sealing roots: a file of 32 random bytes where there is no TEE, Gramine's key files inside SGX, and a data key
// that a broker releases to attested code, or its owner keeps.
// A root that others can read, or that is no key, is refused; a root is never replaced, since what it sealed goes with it.
import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { isZero } from '@casemate/evidence/bytes'
import { EnclaveError } from '../errors.ts'
import { errnoOf, fileError } from './file-errors.ts'
import type { SealingPolicy } from './identity.ts'
import { CPU_SVN_SIZE, makeRoot, POLICY_BITS, type SealingRoot } from './root.ts'

/** Of a simulated root, in bytes. */
const SIMULATED_SIZE = 32
/** Of Gramine's sealing keys, in bytes. */
const GRAMINE_SIZE = 16
/** Of a broker’s root, in bytes. */
export const DATA_KEY_SIZE = 32
const BROKER_DOMAIN = 'casemate-broker-root/1\n'
const NO_SALT = new Uint8Array()
const GRAMINE_KEYS = '/dev/attestation/keys'

export interface SimulatedRootOptions {
  /** Made where it does not exist, for the owner alone. */
  readonly path: string
  /** 16 bytes, for a machine that is to have one. */
  readonly cpuSvn?: Uint8Array
  /** Default: the operating system’s. */
  readonly random?: (size: number) => Uint8Array
}

/**
 * A root that proves nothing about hardware.
 * @throws {EnclaveError} root-unsafe, root-invalid, invalid-parameter, file-unwritable, disk-full
 */
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
  const secrets = { mrEnclave: secret, mrSigner: secret }
  return makeRoot({ kind: 'simulated', cpuSvn: cpuSvn ?? null, secrets })
}

export interface GramineRootOptions {
  /** Default /dev/attestation/keys. */
  readonly directory?: string
}

/** The keys that EGETKEY gave to Gramine; it does not tell their CPUSVN. @throws {EnclaveError} root-invalid */
export function openGramineRoot({ directory = GRAMINE_KEYS }: GramineRootOptions = {}): SealingRoot {
  return makeRoot({
    kind: 'gramine',
    cpuSvn: null,
    secrets: {
      mrEnclave: readKey(join(directory, '_sgx_mrenclave'), GRAMINE_SIZE),
      mrSigner: readKey(join(directory, '_sgx_mrsigner'), GRAMINE_SIZE),
    },
  })
}

export interface BrokerRootOptions {
  /** Where the key comes from, `repository/type/tag` or a file: for people who read an error. */
  readonly path: string
  /** 32 bytes. They are copied; clear them. */
  readonly key: Uint8Array
}

/**
 * The root of a data key. It belongs to no machine, so there is no platform version, and new firmware changes nothing:
 * who gets the key is the broker's decision. @throws {EnclaveError} root-invalid
 */
export function openBrokerRoot({ path, key }: BrokerRootOptions): SealingRoot {
  const dataKey = keyOf(key, { path, size: DATA_KEY_SIZE })
  const secret = (policy: SealingPolicy): KeyObject => {
    const info = Buffer.from([...Buffer.from(BROKER_DOMAIN), POLICY_BITS[policy]])
    const bytes = Buffer.from(hkdfSync('sha256', dataKey, NO_SALT, info, DATA_KEY_SIZE))
    try {
      return createSecretKey(bytes)
    } finally {
      bytes.fill(0)
    }
  }
  const secrets = { mrEnclave: secret('mrEnclave'), mrSigner: secret('mrSigner') }
  return makeRoot({ kind: 'broker', cpuSvn: null, secrets })
}

function readKey(path: string, size: number): KeyObject {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new EnclaveError('root-invalid', `${path} cannot be read`, { cause: error })
  }
  try {
    return keyOf(bytes, { path, size })
  } finally {
    bytes.fill(0)
  }
}

function keyOf(
  bytes: Uint8Array,
  { path, size }: { readonly path: string; readonly size: number },
): KeyObject {
  if (bytes.length === size && !isZero(bytes)) return createSecretKey(bytes)
  const got = bytes.length === size ? 'nothing but zero' : `${bytes.length} bytes`
  throw new EnclaveError('root-invalid', `${path} holds ${got}, want a key of ${size} bytes`, {
    expected: `${size} bytes`,
    got,
  })
}

/** All of it or nothing, and durable; where another process was first, its root stands. */
function createRoot(path: string, secret: Uint8Array): void {
  const temporary = `${path}.${process.pid}.new`
  // A crash may have left one.
  rmSync(temporary, { force: true })
  try {
    writeDurably(temporary, secret)
    linkSync(temporary, path)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw fileError(error, path, 'file-unwritable')
  } finally {
    secret.fill(0)
    rmSync(temporary, { force: true })
  }
  const directory = openSync(dirname(path), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

function writeDurably(path: string, secret: Uint8Array): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    // Unlike writeSync, it writes on until all is written, or throws.
    writeFileSync(file, secret)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
