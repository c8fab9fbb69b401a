// Bytes between a client and the enclave, as FORMAT.md describes them: frames of messages in, answers out. They are of no
// interest to the machine between them.

import * as wire from './assembly/wire.ts'

export type Decision = 'ACCEPT' | 'REJECT' | 'HOLD'

export interface Verdict {
  readonly decision: Decision
  /** ISO 20022 external status reason; null if it is accepted. */
  readonly reason: string | null
  /** Percent, of a hit. */
  readonly score: number
  /** OFAC’s number of the party that was hit, or 0. */
  readonly listId: number
  /** One of `ROLES`: where in a payment what was hit stands. */
  readonly role: string | null
  /** In its message, from 0; null if it is about the whole message. */
  readonly payment: number | null
  /** Where reading a message stopped that is not valid, in bytes. */
  readonly offset: number
  /** When it was decided, in days since 1970-01-01. */
  readonly businessDay: number
}

export interface Answer extends Verdict {
  /** Of the frame it was sent in. */
  readonly message: number
  /** With {@link leaf}, where the ledger has it. */
  readonly frame: number
  readonly leaf: number
  /** Whether it had been decided before. */
  readonly isRepeated: boolean
  /** The 32 bytes that the ledger commits to, together with the message’s digest. */
  readonly head: Uint8Array
}

export interface Answers {
  /** Of the decisions that are new, or 0 if none is. */
  readonly frame: number
  readonly fresh: number
  /** From which the salts of this frame’s leaves follow: for the sender alone. */
  readonly seed: Uint8Array
  readonly root: Uint8Array
  readonly items: readonly Answer[]
}

/** The business day is left for the server to fill in. */
export function encodeFrame(messages: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(wire.FRAME_SIZES_AT + 4 * messages.length)
  head.writeUInt32LE(messages.length, 0)
  for (const [index, { length }] of messages.entries())
    head.writeUInt32LE(length, wire.FRAME_SIZES_AT + 4 * index)
  return Buffer.concat([head, ...messages, Buffer.alloc(wire.FRAME_PADDING)])
}

/** Fills in the business day, in place; what is too short for one is left to the enclave to refuse. */
export function setBusinessDay(frame: Uint8Array, day: number): void {
  if (frame.length < wire.FRAME_DAY_AT + 4) return
  new DataView(frame.buffer, frame.byteOffset).setInt32(wire.FRAME_DAY_AT, day, true)
}

export interface Booking {
  /** That these records would be. */
  readonly frame: number
  readonly day: number
  readonly records: Uint8Array
}

/** For the enclave's call `book`. */
export function encodeBooking({ frame, day, records }: Booking): Uint8Array<ArrayBuffer> {
  const input = new Uint8Array(wire.BOOK_RECORDS_AT + records.length)
  const view = new DataView(input.buffer)
  view.setUint32(0, frame, true)
  view.setInt32(wire.BOOK_DAY_AT, day, true)
  input.set(records, wire.BOOK_RECORDS_AT)
  return input
}

export interface Booked {
  readonly answers: Uint8Array
  /** 0 if nothing is new. */
  readonly frame: number
  readonly decisions: number
  readonly root: Uint8Array
  /** The piece of the journal. */
  readonly sealed: Uint8Array
}

/** Reads the output of `book`. */
export function decodeBooked(output: Uint8Array): Booked {
  const view = new DataView(output.buffer, output.byteOffset, output.length)
  const end = wire.BOOKED_ANSWERS_AT + view.getUint32(0, true)
  const answers = output.subarray(wire.BOOKED_ANSWERS_AT, end)
  return {
    answers,
    frame: view.getUint32(wire.BOOKED_ANSWERS_AT, true),
    decisions: view.getUint32(wire.BOOKED_ANSWERS_AT + wire.ANSWERS_FRESH_AT, true),
    root: answers.subarray(wire.ANSWERS_ROOT_AT, wire.ANSWERS_ROOT_AT + wire.HASH),
    sealed: output.subarray(end),
  }
}

/** For the enclave's call `disclose`. */
export function encodeDisclosure(leaf: number, sealed: Uint8Array): Uint8Array<ArrayBuffer> {
  const input = new Uint8Array(wire.DISCLOSE_PIECE_AT + sealed.length)
  new DataView(input.buffer).setUint32(0, leaf, true)
  input.set(sealed, wire.DISCLOSE_PIECE_AT)
  return input
}

export interface Disclosed {
  readonly record: Uint8Array
  readonly salt: Uint8Array
  /** Hashes from the leaf to the frame's root. */
  readonly proof: readonly Uint8Array<ArrayBuffer>[]
}

/** Reads the output of `disclose`. */
export function decodeDisclosed(output: Uint8Array): Disclosed {
  const proof = output.slice(wire.DISCLOSED_PROOF_AT)
  return {
    record: output.subarray(wire.DISCLOSED_RECORD_AT, wire.DISCLOSED_RECORD_AT + wire.RECORD),
    salt: output.subarray(wire.DISCLOSED_SALT_AT, wire.DISCLOSED_SALT_AT + wire.HASH),
    proof: Array.from({ length: proof.length / wire.HASH }, (_, at) =>
      proof.slice(at * wire.HASH, (at + 1) * wire.HASH),
    ),
  }
}

/** @throws {RangeError} if it is no answer */
export function decodeAnswers(bytes: Uint8Array): Answers {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const items = bytes.length - wire.ANSWERS_ITEMS_AT
  if (items < 0 || items % wire.ANSWER !== 0) {
    throw new RangeError(`${bytes.length} bytes are no answers`)
  }
  return {
    frame: buffer.readUInt32LE(0),
    fresh: buffer.readUInt32LE(wire.ANSWERS_FRESH_AT),
    seed: bytes.slice(wire.ANSWERS_SEED_AT, wire.ANSWERS_SEED_AT + wire.HASH),
    root: bytes.slice(wire.ANSWERS_ROOT_AT, wire.ANSWERS_ROOT_AT + wire.HASH),
    items: Array.from({ length: items / wire.ANSWER }, (_, index) =>
      decodeAnswer(buffer.subarray(wire.ANSWERS_ITEMS_AT + index * wire.ANSWER)),
    ),
  }
}

function decodeAnswer(bytes: Buffer): Answer {
  return {
    ...decodeVerdict(bytes),
    frame: bytes.readUInt32LE(wire.ANSWER_FRAME_AT),
    leaf: bytes.readUInt32LE(wire.ANSWER_LEAF_AT),
    message: bytes.readUInt32LE(wire.ANSWER_MESSAGE_AT),
    isRepeated: bytes.readUInt32LE(wire.ANSWER_REPEATED_AT) === 1,
    head: new Uint8Array(bytes.subarray(0, wire.RECORD_DIGEST_AT)),
  }
}

const DECISIONS: ReadonlyMap<number, Decision> = new Map([
  [wire.ACCEPT, 'ACCEPT'],
  [wire.REJECT, 'REJECT'],
  [wire.HOLD, 'HOLD'],
])

/** Of the first 32 bytes of a record. @throws {RangeError} if it is none */
export function decodeVerdict(bytes: Buffer): Verdict {
  const decision = DECISIONS.get(bytes.readUInt8(wire.RECORD_DECISION_AT))
  if (bytes.readUInt8(0) !== wire.RECORD_VERSION || decision === undefined)
    throw new RangeError('not a record of version 1')
  const payment = bytes.readUInt32LE(wire.RECORD_PAYMENT_AT)
  return {
    decision,
    reason: reasonOf(bytes.subarray(wire.RECORD_REASON_AT, wire.RECORD_REASON_AT + 4)),
    score: bytes.readUInt8(wire.RECORD_SCORE_AT),
    listId: bytes.readUInt32LE(wire.RECORD_LIST_ID_AT),
    role: wire.ROLES[bytes.readUInt8(wire.RECORD_ROLE_AT) - 1] ?? null,
    payment: payment === wire.WHOLE_MESSAGE ? null : payment,
    offset: bytes.readUInt32LE(wire.RECORD_OFFSET_AT),
    businessDay: bytes.readInt32LE(wire.RECORD_DAY_AT),
  }
}

/** Four letters, or none. */
function reasonOf(bytes: Buffer): string | null {
  return bytes[0] === 0 ? null : bytes.toString('latin1')
}
