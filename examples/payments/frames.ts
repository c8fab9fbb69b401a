// What goes between a client and the enclave, as FORMAT.md describes it: frames of messages in, answers out. Of no
// interest to the machine between them.

/** Behind the last message: the enclave reads in words. */
const PADDING = 64
const HEAD = 8
const ANSWERS_HEAD = 72
const ANSWER = 48
const HEAD_OF_RECORD = 32
const WHOLE_MESSAGE = 0xffff_ffff

export type Decision = 'ACCEPT' | 'REJECT' | 'HOLD'

/** Where in a payment what was found stands. */
export const ROLES = [
  'dbtr',
  'cdtr',
  'ultmtDbtr',
  'ultmtCdtr',
  'initgPty',
  'dbtrAgt',
  'cdtrAgt',
  'instgAgt',
  'txInstgAgt',
  'instdAgt',
  'intrmyAgt',
  'prvsInstgAgt',
  'rmbrsmntAgt',
  'chrgsAgt',
  'remittance',
] as const
export type Role = (typeof ROLES)[number]

export interface Verdict {
  readonly decision: Decision
  /** ISO 20022 external status reason; null where it is accepted. */
  readonly reason: string | null
  /** Percent, of a hit. */
  readonly score: number
  /** OFAC’s number of the party that was hit, or 0. */
  readonly listId: number
  readonly role: Role | null
  /** In its message, from 0; null where it is about the whole message. */
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
  /** Of the decisions that are new, or 0 where none is. */
  readonly frame: number
  readonly fresh: number
  /** From which the salts of this frame’s leaves follow: for the sender alone. */
  readonly seed: Uint8Array
  readonly root: Uint8Array
  readonly items: readonly Answer[]
}

/** The business day is left for the server to fill in. */
export function encodeFrame(messages: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(HEAD + 4 * messages.length)
  head.writeUInt32LE(messages.length, 0)
  for (const [index, { length }] of messages.entries()) head.writeUInt32LE(length, HEAD + 4 * index)
  return Buffer.concat([head, ...messages, Buffer.alloc(PADDING)])
}

/** @throws {RangeError} where it is no answer */
export function decodeAnswers(bytes: Uint8Array): Answers {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length < ANSWERS_HEAD || (bytes.length - ANSWERS_HEAD) % ANSWER !== 0) {
    throw new RangeError(`${bytes.length} bytes are no answers`)
  }
  return {
    frame: buffer.readUInt32LE(0),
    fresh: buffer.readUInt32LE(4),
    seed: bytes.slice(8, 40),
    root: bytes.slice(40, 72),
    items: Array.from({ length: (bytes.length - ANSWERS_HEAD) / ANSWER }, (_, index) =>
      decodeAnswer(buffer.subarray(ANSWERS_HEAD + index * ANSWER, ANSWERS_HEAD + (index + 1) * ANSWER)),
    ),
  }
}

function decodeAnswer(bytes: Buffer): Answer {
  return {
    ...decodeVerdict(bytes),
    frame: bytes.readUInt32LE(32),
    leaf: bytes.readUInt32LE(36),
    message: bytes.readUInt32LE(40),
    isRepeated: bytes.readUInt32LE(44) === 1,
    head: new Uint8Array(bytes.subarray(0, HEAD_OF_RECORD)),
  }
}

const DECISIONS: readonly (Decision | undefined)[] = [undefined, 'ACCEPT', 'REJECT', 'HOLD']

/** Of the first 32 bytes of a record. @throws {RangeError} where it is none */
export function decodeVerdict(bytes: Buffer): Verdict {
  const decision = DECISIONS[bytes.readUInt8(1)]
  if (bytes.readUInt8(0) !== 1 || decision === undefined) throw new RangeError('not a record of version 1')
  const payment = bytes.readUInt32LE(12)
  return {
    decision,
    reason: bytes.readUInt32LE(4) === 0 ? null : bytes.toString('latin1', 4, 8),
    score: bytes.readUInt8(2),
    listId: bytes.readUInt32LE(8),
    role: ROLES[bytes.readUInt8(3) - 1] ?? null,
    payment: payment === WHOLE_MESSAGE ? null : payment,
    offset: bytes.readUInt32LE(16),
    businessDay: bytes.readInt32LE(20),
  }
}
