// The part that needs no memory of other payments, and so runs in as many instances as there are processors: digests,
// reading, checking and screening of a frame of messages.
import { beginMessage, made, refuseWhole, wholeFault } from './message'
import { Reason } from './layout'
import { digestAll } from './blake2s'
import { readMessage, stoppedAt } from './reader/reader'
import { hash, high, low } from './siphash'
import { reserve } from './memory'
import {
  EXAMINED,
  EXAMINED_DIGEST_AT,
  EXAMINED_KEY_AT,
  EXAMINED_MESSAGE_AT,
  EXAMINED_PAYMENT_AT,
  FRAME_DAY_AT,
  FRAME_PADDING,
  FRAME_SIZES_AT,
  MAX_MESSAGE,
  MAX_MESSAGES,
  WHOLE_MESSAGE,
} from './wire'

/** No payment of a valid message is shorter. */
const MIN_PAYMENT: u32 = 256

const items: usize = reserve(MAX_MESSAGES * 8)
const digests: usize = reserve(MAX_MESSAGES * 32)
let records: usize = 0
let recordsSize: u32 = 0
export let recordsLength: u32 = 0

/** Gives the examined records; 0 if the frame is malformed. */
export function examineFrame(pointer: usize, length: u32): usize {
  const count = length >= <u32>(FRAME_SIZES_AT + FRAME_PADDING) ? load<u32>(pointer) : 0
  if (count == 0 || count > <u32>MAX_MESSAGES || !readItems(pointer, length, count)) return 0
  digestAll(items, count, digests)
  makeRoom(length, count)
  let at = records
  for (let index: u32 = 0; index < count; index++) {
    const from: usize = load<u32>(items + index * 8)
    const size = load<u32>(items + index * 8, 4)
    const most = size / MIN_PAYMENT + 1
    beginMessage(at, most, load<i32>(pointer, FRAME_DAY_AT))
    if (!readMessage(from, from + size)) refuseWhole(Reason.format, stoppedAt)
    else {
      const why = wholeFault()
      if (why != Reason.none) refuseWhole(why, 0)
    }
    at = finish(at, index)
  }
  recordsLength = <u32>(at - records)
  return records
}

function readItems(pointer: usize, length: u32, count: u32): bool {
  const head: u32 = FRAME_SIZES_AT + count * 4
  if (head + FRAME_PADDING > length) return false
  const end = length - FRAME_PADDING
  let at = head
  for (let index: u32 = 0; index < count; index++) {
    const size = load<u32>(pointer + index * 4, FRAME_SIZES_AT)
    if (size > <u32>MAX_MESSAGE || size > end - at) return false
    store<u32>(items + index * 8, <u32>pointer + at)
    store<u32>(items + index * 8, size, 4)
    at += size
  }
  return at == end
}

/** Room for every payment that the frame can hold. */
function makeRoom(length: u32, count: u32): void {
  const size = (length / MIN_PAYMENT + count + 1) * EXAMINED
  if (size <= recordsSize) return
  if (records != 0) heap.free(records)
  records = heap.alloc(size)
  recordsSize = size
}

/** Adds to the message's records what is the same for all; a refused message is known by its digest. */
function finish(at: usize, message: u32): usize {
  const digest = digests + message * 32
  for (let index: u32 = 0; index < made; index++) {
    memory.copy(at + EXAMINED_DIGEST_AT, digest, 32)
    store<u32>(at, message, EXAMINED_MESSAGE_AT)
    if (load<u32>(at, EXAMINED_PAYMENT_AT) == WHOLE_MESSAGE) {
      hash(digest, 32)
      store<u64>(at, low, EXAMINED_KEY_AT)
      store<u64>(at, high, EXAMINED_KEY_AT + 8)
    }
    at += EXAMINED
  }
  return at
}
