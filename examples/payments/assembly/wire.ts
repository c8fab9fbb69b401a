// Sizes and places, in bytes, of what goes between the enclave and the host, as FORMAT.md says it in words. Both take them
// from here: this file alone is read as AssemblyScript and as TypeScript. Numbers are little-endian, of 32 bits each where
// nothing else is said.

/** Frame: count, business day, the length of each message; the messages; padding. */
export const FRAME_DAY_AT = 4
export const FRAME_SIZES_AT = 8
/** The enclave reads in words, so a few bytes behind the last message must be there. */
export const FRAME_PADDING = 64
export const MAX_MESSAGES = 4096
/** Of one message, in bytes. */
export const MAX_MESSAGE = 1048576

/** Examined record, from `examine` to `book`: the first three are bytes. */
export const EXAMINED = 96
export const EXAMINED_DECISION_AT = 0
export const EXAMINED_SCORE_AT = 1
export const EXAMINED_ROLE_AT = 2
export const EXAMINED_REASON_AT = 4
export const EXAMINED_LIST_ID_AT = 8
export const EXAMINED_PAYMENT_AT = 12
/** 32 bytes. */
export const EXAMINED_DIGEST_AT = 16
/** Of the payment's ids, 16 bytes; of its debtor, 8; its amount, 8. */
export const EXAMINED_KEY_AT = 48
export const EXAMINED_DEBTOR_AT = 64
export const EXAMINED_AMOUNT_AT = 72
export const EXAMINED_CURRENCY_AT = 80
export const EXAMINED_SETTLEMENT_AT = 84
export const EXAMINED_OFFSET_AT = 88
export const EXAMINED_MESSAGE_AT = 92

/** `book` takes the number of the frame, the business day, 0, then examined records. */
export const BOOK_DAY_AT = 4
export const BOOK_RECORDS_AT = 12
/** It gives the size of the answers, the answers, and a sealed piece where anything is new. */
export const BOOKED_ANSWERS_AT = 4

/** Answers: frame, new decisions, seed and root of 32 bytes; then one answer for each payment. */
export const ANSWERS_FRESH_AT = 4
export const ANSWERS_SEED_AT = 8
export const ANSWERS_ROOT_AT = 40
export const ANSWERS_ITEMS_AT = 72
/** Answer: head of the record, then these. */
export const ANSWER = 48
export const ANSWER_FRAME_AT = 32
export const ANSWER_LEAF_AT = 36
export const ANSWER_MESSAGE_AT = 40
export const ANSWER_REPEATED_AT = 44

/** Record: its head, the first four of which are bytes, and the message's digest of 32 bytes. */
export const RECORD = 64
export const RECORD_VERSION = 1
export const RECORD_DECISION_AT = 1
export const RECORD_SCORE_AT = 2
export const RECORD_ROLE_AT = 3
export const RECORD_REASON_AT = 4
export const RECORD_LIST_ID_AT = 8
export const RECORD_PAYMENT_AT = 12
export const RECORD_OFFSET_AT = 16
export const RECORD_DAY_AT = 20
export const RECORD_DIGEST_AT = 32

/** In place of a payment's number, where an answer is about the whole message. */
export const WHOLE_MESSAGE = 0xffffffff

export const ACCEPT = 1
export const REJECT = 2
export const HOLD = 3

/** `disclose` takes a leaf's number and a sealed piece; it gives frame, count, record, salt and the proof. */
export const DISCLOSE_PIECE_AT = 4
export const DISCLOSED_COUNT_AT = 4
export const DISCLOSED_RECORD_AT = 8
export const DISCLOSED_SALT_AT = 72
export const DISCLOSED_PROOF_AT = 104
/** Of a salt, a root, a digest and each hash of a proof. */
export const HASH = 32

/** `begin` gives the seed of the log's signing key, then the sealed keys. */
export const BEGUN_KEYS_AT = 32

/** Names of `@role` in the schema, and of what an answer is about; a role's number is its place, from 1. */
export const ROLES: string[] = [
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
  'dbtrAcct',
  'cdtrAcct',
]
