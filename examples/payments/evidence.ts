// Proof of a decision, offline and with nothing but the log's key: the decision's record is in the tree of its frame,
// and the frame's root is in the log. It shows this one payment's decision, and nothing of any other.
import { hash } from 'node:crypto'
import {
  hashLeaf,
  type Receipt,
  type VerifiedReceipt,
  verifyInclusion,
  verifyReceipt,
} from '@casemate/ledger'
import { HASH, RECORD, RECORD_DIGEST_AT } from './assembly/wire.ts'
import { decodeVerdict, type Verdict } from './frames.ts'

/** As it is written to a file. */
export interface DecisionReceipt {
  readonly format: 'casemate-payment/1'
  readonly leaf: number
  /** 64 bytes, base64: what was decided, then the message's digest (BLAKE2s-256). */
  readonly record: string
  /** 32 bytes, base64. */
  readonly salt: string
  /** From the leaf to the frame's root. */
  readonly inclusion: readonly string[]
  /** Of the ledger, for the frame. */
  readonly frame: Receipt
}

export interface ProvedDecision {
  readonly verdict: Verdict
  readonly ledger: VerifiedReceipt
}

/**
 * That this message was decided so, in the log of this key (`name+hash+base64`).
 * @throws {LedgerError} if the proofs do not hold @throws {RangeError} if it is another message's
 */
export async function verifyDecision(
  receipt: DecisionReceipt,
  { message, key }: { readonly message: Uint8Array; readonly key: string },
): Promise<ProvedDecision> {
  const ledger = await verifyReceipt(receipt.frame, { key })
  const { root, decisions } = ledger.entry
  const record = Buffer.from(receipt.record, 'base64')
  const salt = Buffer.from(receipt.salt, 'base64')
  const isFrame =
    ledger.entry['type'] === 'payments.decided' && typeof root === 'string' && typeof decisions === 'number'
  if (
    receipt.format !== 'casemate-payment/1' ||
    !isFrame ||
    record.length !== RECORD ||
    salt.length !== HASH
  ) {
    throw new RangeError('not a receipt of a payment')
  }
  const leafHash = await hashLeaf(Buffer.concat([salt, record]))
  const proof = receipt.inclusion.map(item => new Uint8Array(Buffer.from(item, 'base64')))
  await verifyInclusion(
    { index: receipt.leaf, leafHash, proof },
    { size: decisions, root: new Uint8Array(Buffer.from(root, 'base64')) },
  )
  if (!record.subarray(RECORD_DIGEST_AT).equals(digestOf(message)))
    throw new RangeError('the receipt is of another message')
  return { verdict: decodeVerdict(record), ledger }
}

/** BLAKE2s-256, RFC 7693. */
export function digestOf(message: Uint8Array): Buffer {
  return hash('blake2s256', message, 'buffer')
}
