// Proof of a release: the broker hands over the receipt, and it is checked here, with the log's key and nothing else.

import { type JsonObject, verifyReceipt } from '@casemate/ledger'
import type { Admin } from './admin.ts'
import { refuse } from './failure.ts'

/** Which entry to prove, and by which key. */
export interface VerifyReleaseOptions {
  readonly admin: Admin
  /** The index of a `release.granted` entry. */
  readonly index: number
  /** The log's verifier key, from wherever one trusts it to be. */
  readonly key: string
}

/** A release that stands in the log. */
export interface ProvedRelease {
  readonly entry: JsonObject
  readonly index: number
  readonly timestamp: Date
  /** How many entries the log had under the checkpoint that covers it. */
  readonly treeSize: number
  /** The receipt itself, to be kept and shown to others. */
  readonly receipt: JsonObject
}

/**
 * Fetches the receipt of a release and proves it.
 * @throws {LedgerError} if the receipt does not prove what it says
 * @throws {BrokerRefusal} receipt-mismatch, if it proves something else
 */
export async function verifyRelease({ admin, index, key }: VerifyReleaseOptions): Promise<ProvedRelease> {
  const receipt = await admin.ledger.receipt(index)
  const verified = await verifyReceipt(receipt, { key })
  const type = verified.entry['type']
  if (verified.index !== index || type !== 'release.granted') {
    throw refuse('receipt-mismatch', 'the receipt is for another entry than was asked for', {
      expected: `release.granted at ${index}`,
      got: `${JSON.stringify(type)} at ${verified.index}`,
    })
  }
  const { entry, timestamp, checkpoint } = verified
  return { entry, index, timestamp, treeSize: checkpoint.size, receipt }
}
