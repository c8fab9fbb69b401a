// The records of wire.ts and of the book as objects over raw memory: `changetype` gives one where it lies, nothing is
// allocated, and no collector looks at it.
import {
  ANSWER_FRAME_AT,
  ANSWER_REPEATED_AT,
  EXAMINED_DIGEST_AT,
  EXAMINED_KEY_AT,
  EXAMINED_MESSAGE_AT,
  RECORD_DAY_AT,
  RECORD_DIGEST_AT,
} from './wire'

/** From `examine` to `book`. */
// @ts-ignore: decorator
@unmanaged
export class Examined {
  decision: u8
  score: u8
  role: u8
  reason: u32
  listId: u32
  payment: u32
  digest1: u64
  digest2: u64
  digest3: u64
  digest4: u64
  keyLow: u64
  keyHigh: u64
  debtor: u64
  amount: u64
  currency: u32
  settlement: i32
  offset: u32
  message: u32
}

/** Of an answer and of a record, before what differs. */
// @ts-ignore: decorator
@unmanaged
export class Head {
  version: u8
  decision: u8
  score: u8
  role: u8
  reason: u32
  listId: u32
  payment: u32
  offset: u32
  day: i32
  zero: u64
}

// @ts-ignore: decorator
@unmanaged
export class Answer extends Head {
  frame: u32
  leaf: u32
  message: u32
  isRepeated: u32
}

/** A record, and behind it what the book needs to know again: one decision in a piece of the journal. */
// @ts-ignore: decorator
@unmanaged
export class Piece extends Head {
  digest1: u64
  digest2: u64
  digest3: u64
  digest4: u64
  keyLow: u64
  keyHigh: u64
  debtor: u64
  amount: u64
  currency: u32
  settlement: i32
}

/** A payment that is remembered; free if its frame is 0. */
// @ts-ignore: decorator
@unmanaged
export class Entry {
  keyLow: u64
  keyHigh: u64
  digest1: u64
  digest2: u64
  day: i32
  settlement: i32
  reason: u32
  listId: u32
  frame: u32
  leaf: u32
  decision: u8
  score: u8
  role: u8
}

/** A debtor's day; free if its key is 0. */
// @ts-ignore: decorator
@unmanaged
export class Spent {
  key: u64
  amount: u64
}

assert(offsetof<Examined>('digest1') == EXAMINED_DIGEST_AT && offsetof<Examined>('keyLow') == EXAMINED_KEY_AT)
assert(offsetof<Examined>('message') == EXAMINED_MESSAGE_AT && offsetof<Head>('day') == RECORD_DAY_AT)
assert(offsetof<Answer>('frame') == ANSWER_FRAME_AT && offsetof<Answer>('isRepeated') == ANSWER_REPEATED_AT)
assert(offsetof<Piece>('digest1') == RECORD_DIGEST_AT)
