// The leaf that the public log holds of an entry. Every leaf has the same shape, so that the log shows that and when something
// was decided, and nothing else:
//
//   leaf        version (0x01) | time of the batch in ms since the epoch, u64 | commitment, 32 bytes
//   commitment  SHA-256( domain | u32 32 | salt, 32 random bytes | u32 length | the entry's canonical JSON )
//
// All integers are big-endian. Without the salt a commitment cannot be tried against guessed entries.
import { sha256 } from '#crypto'
import { concatBytes, utf8 } from './bytes.ts'
import { LedgerError } from './errors.ts'

export const LEAF_VERSION = 1
/** Of every leaf, in bytes. */
export const LEAF_SIZE = 41
export const SALT_SIZE = 32
export const HASH_SIZE = 32
export const COMMITMENT_OFFSET = 9
/** Keeps these hashes apart from any other SHA-256 in the system; ends the version of the scheme. */
export const COMMITMENT_DOMAIN = 'casemate ledger entry commitment v1\n'

/** A decoded leaf. */
export interface Leaf {
  readonly timestamp: Date
  readonly commitment: Uint8Array
}

export function encodeLeaf(leaf: Leaf): Uint8Array {
  const bytes = new Uint8Array(LEAF_SIZE)
  bytes[0] = LEAF_VERSION
  new DataView(bytes.buffer).setBigUint64(1, BigInt(leaf.timestamp.getTime()))
  bytes.set(leaf.commitment, COMMITMENT_OFFSET)
  return bytes
}

/** The last millisecond that a Date can say. */
const MAX_TIMESTAMP = 8_640_000_000_000_000n

/** @throws {LedgerError} bundle-malformed */
export function decodeLeaf(bytes: Uint8Array): Leaf {
  if (bytes.length !== LEAF_SIZE) throw malformed(`a leaf is ${bytes.length} bytes, want ${LEAF_SIZE}`)
  if (bytes[0] !== LEAF_VERSION) throw malformed(`a leaf has version ${bytes[0]}, want ${LEAF_VERSION}`)
  const timestamp = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(1)
  if (timestamp > MAX_TIMESTAMP) throw malformed(`a leaf has the time ${timestamp}, which no Date can say`)
  return { timestamp: new Date(Number(timestamp)), commitment: bytes.slice(COMMITMENT_OFFSET) }
}

/** `entry` is the canonical JSON. */
export async function commitTo(entry: string, salt: Uint8Array): Promise<Uint8Array> {
  const content = utf8(entry)
  return sha256(concatBytes(utf8(COMMITMENT_DOMAIN), u32(salt.length), salt, u32(content.length), content))
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

function malformed(message: string): LedgerError {
  return new LedgerError('bundle-malformed', message)
}
