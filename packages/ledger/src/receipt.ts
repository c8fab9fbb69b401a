// A receipt: one JSON file that proves, offline and with nothing but the log's key, that an entry is in the log.
// Entry and salt give the commitment, that and the time the leaf, that and the proof the root, which the key signed.
import { decodeBase64, isCount } from './bytes.ts'
import { canonicalJson, type JsonObject } from './canonical.ts'
import { openCheckpoint, type SignedCheckpoint } from './checkpoint.ts'
import { LedgerError } from './errors.ts'
import { hashLeaf } from './hashing.ts'
import { commitTo, encodeLeaf, HASH_SIZE, SALT_SIZE } from './leaf.ts'
import { parseVerifierKey, type VerifierKey } from './note.ts'
import { verifyConsistency, verifyInclusion } from './proof.ts'

/** The format of receipts; the number rises when an old reader would misread a new one. */
export const RECEIPT_FORMAT = 'casemate-receipt/1'

/** As it is written to a file. */
export interface Receipt {
  readonly format: typeof RECEIPT_FORMAT
  readonly entry: JsonObject
  /** 32 bytes, base64. */
  readonly salt: string
  readonly index: number
  /** RFC 3339 in UTC, with milliseconds. */
  readonly timestamp: string
  /** From the leaf to the root: 32 bytes each, base64. */
  readonly inclusion: readonly string[]
  /** The signed note. */
  readonly checkpoint: string
}

/** A verified receipt proves: this entry stood at this index at this time in the log of this checkpoint. */
export interface VerifiedReceipt {
  readonly entry: JsonObject
  readonly index: number
  readonly timestamp: Date
  readonly checkpoint: SignedCheckpoint
}

export interface VerifyReceiptOptions {
  /** The log's verifier key, `name+hash+base64`; its name is the origin that the checkpoint must have. */
  readonly key: string
}

/** A checkpoint that one already trusts, and how it relates to the receipt's. */
export interface KnownCheckpoint {
  /** The signed note. */
  readonly checkpoint: string
  /** Between this one and the receipt's, whichever is older: 32 bytes each, base64. */
  readonly consistency: readonly string[]
}

/**
 * @throws {LedgerError} key-malformed, receipt-malformed, receipt-newer, note-malformed, checkpoint-untrusted,
 * checkpoint-malformed, checkpoint-foreign, receipt-invalid
 */
export async function verifyReceipt(
  receipt: unknown,
  options: VerifyReceiptOptions,
): Promise<VerifiedReceipt> {
  const key = await parseVerifierKey(options.key)
  const fields = parseReceipt(receipt)
  const checkpoint = await openCheckpoint(fields.checkpoint, { key, origin: key.name })
  const commitment = await commitTo(canonicalJson(fields.entry), fields.salt)
  const leafHash = await hashLeaf(encodeLeaf({ timestamp: fields.timestamp, commitment }))
  try {
    await verifyInclusion({ index: fields.index, leafHash, proof: fields.inclusion }, checkpoint)
  } catch (cause) {
    throw new LedgerError('receipt-invalid', 'this entry, as it stands in the receipt, is not in the log', {
      hint: 'the entry, its salt, time or index was changed, or the proof belongs to another entry',
      cause,
    })
  }
  return { entry: fields.entry, index: fields.index, timestamp: fields.timestamp, checkpoint }
}

/**
 * Also proves that the receipt's log and the one that was known, earlier or later, are the same.
 * @throws {LedgerError} as {@link verifyReceipt}, and checkpoint-inconsistent
 */
export async function verifyReceiptAgainst(
  receipt: unknown,
  known: KnownCheckpoint,
  options: VerifyReceiptOptions,
): Promise<VerifiedReceipt> {
  const verified = await verifyReceipt(receipt, options)
  await verifyExtension(verified.checkpoint.note, known, options)
  return verified
}

/**
 * Proves that two signed checkpoints are of one log that has only grown, in whichever order they came.
 * @throws {LedgerError} key-malformed, note-malformed, checkpoint-untrusted, checkpoint-malformed, checkpoint-foreign,
 * checkpoint-inconsistent
 */
export async function verifyExtension(
  checkpoint: string,
  known: KnownCheckpoint,
  options: VerifyReceiptOptions,
): Promise<{ readonly older: SignedCheckpoint; readonly newer: SignedCheckpoint }> {
  const key: VerifierKey = await parseVerifierKey(options.key)
  const one = await openCheckpoint(checkpoint, { key, origin: key.name })
  const other = await openCheckpoint(known.checkpoint, { key, origin: key.name })
  const [older, newer] = one.size <= other.size ? [one, other] : [other, one]
  const proof = known.consistency.map(hash => decodeBase64(hash) ?? new Uint8Array(0))
  await verifyConsistency({ from: older, to: newer, proof })
  return { older, newer }
}

interface ReceiptFields {
  readonly entry: JsonObject
  readonly salt: Uint8Array
  readonly index: number
  readonly timestamp: Date
  readonly inclusion: readonly Uint8Array[]
  readonly checkpoint: string
}

/** The members of a receipt, each with its reader, which answers undefined to what it does not accept. */
const READERS = {
  entry: (value: unknown) => (isObject(value) ? (value as JsonObject) : undefined),
  salt: (value: unknown) => readBytes(value, SALT_SIZE),
  index: (value: unknown) => (isCount(value) ? value : undefined),
  timestamp: readTimestamp,
  inclusion: readHashes,
  checkpoint: (value: unknown) => (typeof value === 'string' ? value : undefined),
} as const

function parseReceipt(receipt: unknown): ReceiptFields {
  if (!isObject(receipt)) throw malformed('it is not a JSON object')
  if (receipt['format'] !== RECEIPT_FORMAT) throw wrongFormat(receipt['format'])
  const names = Object.keys(READERS) as (keyof typeof READERS)[]
  for (const name of Object.keys(receipt)) {
    if (name !== 'format' && !Object.hasOwn(READERS, name)) throw malformed(`unknown member ${name}`)
  }
  const fields = names.map(name => {
    const value = READERS[name](receipt[name])
    if (value === undefined) throw malformed(`${name} is missing or has the wrong shape`)
    return [name, value] as const
  })
  return Object.fromEntries(fields) as unknown as ReceiptFields
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readBytes(value: unknown, size: number): Uint8Array | undefined {
  const bytes = typeof value === 'string' ? decodeBase64(value) : null
  return bytes?.length === size ? bytes : undefined
}

function readHashes(value: unknown): Uint8Array[] | undefined {
  if (!Array.isArray(value)) return undefined
  const hashes = value.map(hash => readBytes(hash, HASH_SIZE))
  return hashes.every(hash => hash !== undefined) ? hashes : undefined
}

function readTimestamp(value: unknown): Date | undefined {
  const date = new Date(typeof value === 'string' ? value : Number.NaN)
  if (Number.isNaN(date.getTime()) || date.getTime() < 0) return undefined
  return date.toISOString() === value ? date : undefined
}

function wrongFormat(got: unknown): LedgerError {
  const known = typeof got === 'string' && /^casemate-receipt\/[0-9]+$/.test(got)
  if (!known) return malformed(`format is not ${RECEIPT_FORMAT}`)
  return new LedgerError('receipt-newer', `the receipt has the format ${got}`, {
    expected: RECEIPT_FORMAT,
    got,
    hint: 'check it with a newer version of this program',
  })
}

function malformed(message: string): LedgerError {
  return new LedgerError('receipt-malformed', `not a receipt: ${message}`)
}
