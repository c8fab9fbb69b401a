// The part that needs no memory of other payments, and so runs in as many instances as there are processors: digests,
// reading, checking and screening of a frame of messages.
import { RECORD, beginMessage, made, refuseWhole, wholeFault } from './message'
import { Reason } from './layout'
import { digestAll } from './blake2s'
import { readMessage, stoppedAt } from './reader/reader'
import { hash, high, low } from './siphash'
import { reserve } from './memory'

/** Of one message, in bytes. */
const MAX_MESSAGE: u32 = 1 << 20
const MAX_MESSAGES: u32 = 4096
/** Reading looks at words, so a few bytes behind the last message must be there. */
export const PADDING: u32 = 64
/** No payment of a valid message is shorter. */
const MIN_PAYMENT: u32 = 256

const items: usize = reserve(MAX_MESSAGES * 8)
const digests: usize = reserve(MAX_MESSAGES * 32)
let records: usize = 0
let recordsSize: u32 = 0
export let recordsLength: u32 = 0

/**
 * Frame: count, business day, length of each message, all u32 little-endian; the messages; 64 bytes of padding.
 * Gives the records, 8 bytes of header before them that the caller fills; 0 where the frame is malformed.
 */
export function examineFrame(pointer: usize, length: u32): usize {
  const count = length >= 8 + PADDING ? load<u32>(pointer) : 0
  if (count == 0 || count > MAX_MESSAGES || !readItems(pointer, length, count)) return 0
  digestAll(items, count, digests)
  makeRoom(length, count)
  let at = records
  for (let index: u32 = 0; index < count; index++) {
    const from: usize = load<u32>(items + index * 8)
    const size = load<u32>(items + index * 8, 4)
    const most = size / MIN_PAYMENT + 1
    beginMessage(at, most, load<i32>(pointer, 4))
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
  const head: u32 = 8 + count * 4
  if (head + PADDING > length) return false
  let at = head
  for (let index: u32 = 0; index < count; index++) {
    const size = load<u32>(pointer + 8 + index * 4)
    if (size > MAX_MESSAGE || size > length - PADDING - at) return false
    store<u32>(items + index * 8, <u32>pointer + at)
    store<u32>(items + index * 8, size, 4)
    at += size
  }
  return at == length - PADDING
}

/** Room for every payment that the frame can hold. */
function makeRoom(length: u32, count: u32): void {
  const size = (length / MIN_PAYMENT + count + 1) * RECORD
  if (size <= recordsSize) return
  if (records != 0) heap.free(records)
  records = heap.alloc(size)
  recordsSize = size
}

/** Adds to the message's records what is the same for all; a refused message is known by its digest. */
function finish(at: usize, message: u32): usize {
  const digest = digests + message * 32
  for (let index: u32 = 0; index < made; index++) {
    memory.copy(at + 16, digest, 32)
    store<u32>(at, message, 92)
    if (load<u32>(at, 12) == 0xffffffff) {
      hash(digest, 32)
      store<u64>(at, low, 48)
      store<u64>(at, high, 56)
    }
    at += RECORD
  }
  return at
}
