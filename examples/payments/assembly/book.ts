// The part that remembers: which payments were decided, and what every debtor has sent today. One instance alone does it,
// frame after frame. What it knows can be made anew from the sealed journal, of which each frame leaves a piece; a frame
// counts only once that piece is on disk, which is for the host to wait for.
import { config, Policy, seal, random } from 'casemate'
import { Reason } from './layout'
import { dayLimitOf } from './limits'
import { SETTLEMENT_BACK } from './message'
import { reserve } from './memory'
import { buildTree, MAX_LEAVES, root } from './tree'
import {
  ACCEPT,
  ANSWER,
  ANSWER_FRAME_AT,
  ANSWER_LEAF_AT,
  ANSWER_MESSAGE_AT,
  ANSWER_REPEATED_AT,
  ANSWERS_FRESH_AT,
  ANSWERS_ITEMS_AT,
  ANSWERS_ROOT_AT,
  ANSWERS_SEED_AT,
  BOOKED_ANSWERS_AT,
  EXAMINED,
  EXAMINED_AMOUNT_AT,
  EXAMINED_CURRENCY_AT,
  EXAMINED_DEBTOR_AT,
  EXAMINED_DECISION_AT,
  EXAMINED_DIGEST_AT,
  EXAMINED_KEY_AT,
  EXAMINED_MESSAGE_AT,
  EXAMINED_OFFSET_AT,
  EXAMINED_PAYMENT_AT,
  EXAMINED_REASON_AT,
  EXAMINED_SCORE_AT,
  EXAMINED_SETTLEMENT_AT,
  HASH,
  RECORD_DAY_AT,
  RECORD_DECISION_AT,
  RECORD_DIGEST_AT,
  RECORD_LIST_ID_AT,
  RECORD_OFFSET_AT,
  RECORD_PAYMENT_AT,
  RECORD_REASON_AT,
  RECORD_SCORE_AT,
  RECORD_VERSION,
  REJECT,
  WHOLE_MESSAGE,
} from './wire'

/** Remembered payment: key, decision, score, role, business day, reason, list id, settlement, digest, frame, leaf. */
const ENTRY: usize = 64
/** Piece of the journal, for each decision: record of 64 bytes, key, debtor, amount, currency, settlement. */
export const PIECE: u32 = 104
/** Before the pieces: frame, business day, count, seed. */
export const PIECES_AT: u32 = 44
/** Debtor's day: key, spent. */
const SPENT: usize = 16
const SPENT_BITS: u32 = 20
const SEED: u32 = 32

let entries: usize = 0
let entryMask: u32 = 0
let entryCount: u32 = 0
let spent: usize = 0
let spentCount: u32 = 0
const spentMask: u32 = (1 << SPENT_BITS) - 1
export let lastFrame: u32 = 0
let today: i32 = 0

const answers: usize = reserve(ANSWERS_ITEMS_AT + <usize>MAX_LEAVES * ANSWER)
export const piece: usize = reserve(PIECES_AT + <usize>MAX_LEAVES * PIECE)
let fresh: u32 = 0

export namespace Outcome {
  export const ok: u32 = 0
  export const malformed: u32 = 3
  export const full: u32 = 4
  export const order: u32 = 5
}

/** Memory for `remembered` = 2^n payments, on first use: only one instance of several books. */
function open(): void {
  if (entries != 0) return
  const setting = config('remembered')
  const slots: u32 = setting === null ? 1 << 20 : <u32>parseInt(setting)
  assert(slots >= 1024 && popcnt(slots) == 1, 'remembered: a power of two, at least 1024')
  entryMask = slots - 1
  entries = reserve(<usize>slots * ENTRY)
  spent = reserve(SPENT << SPENT_BITS)
}

// @ts-ignore: decorator
@inline
function entryAt(low: u64, high: u64): usize {
  let slot = <u32>low & entryMask
  let at = entries + slot * ENTRY
  while (load<u32>(at, 52) != 0 && (load<u64>(at) != low || load<u64>(at, 8) != high)) {
    slot = (slot + 1) & entryMask
    at = entries + slot * ENTRY
  }
  return at
}

/** A new day: what nobody can send again is forgotten, and every debtor begins anew. */
function beginDay(day: i32): void {
  if (day <= today) return
  today = day
  memory.fill(spent, 0, SPENT << SPENT_BITS)
  spentCount = 0
  for (let slot: u32 = 0; slot <= entryMask; slot++) {
    const at = entries + slot * ENTRY
    while (load<u32>(at, 52) != 0 && load<i32>(at, 32) + SETTLEMENT_BACK < day) remove(slot)
  }
}

/** Those behind it move up, so that they are still found. */
function remove(slot: u32): void {
  entryCount--
  let free = slot
  for (let next = (slot + 1) & entryMask; load<u32>(entries + next * ENTRY, 52) != 0; next = (next + 1) & entryMask) {
    const home = <u32>load<u64>(entries + next * ENTRY) & entryMask
    if (((next - home) & entryMask) < ((next - free) & entryMask)) continue
    memory.copy(entries + free * ENTRY, entries + next * ENTRY, ENTRY)
    free = next
  }
  memory.fill(entries + free * ENTRY, 0, ENTRY)
}

/** `frame` is the next number; records as examine.ts makes them. An Outcome; on ok see `result`. */
export function bookFrame(frame: u32, day: i32, records: usize, count: u32): u32 {
  open()
  if (frame != lastFrame + 1) return Outcome.order
  if (count == 0 || count > MAX_LEAVES) return Outcome.malformed
  // Full at three quarters: beyond, every look-up is slow. Nothing was changed yet.
  if (entryCount + 2 * count > entryMask - (entryMask >> 2)) return Outcome.full
  if (spentCount + count > spentMask - (spentMask >> 2)) return Outcome.full
  beginDay(day)
  fresh = 0
  for (let index: u32 = 0; index < count; index++) answer(frame, records + index * EXAMINED, index)
  store<u32>(answers, fresh == 0 ? 0 : frame)
  store<u32>(answers, fresh, ANSWERS_FRESH_AT)
  if (fresh == 0) {
    memory.fill(answers + ANSWERS_SEED_AT, 0, SEED + HASH)
    return Outcome.ok
  }
  const seed = random(SEED)
  memory.copy(answers + ANSWERS_SEED_AT, seed.dataStart, SEED)
  store<u32>(piece, frame)
  store<i32>(piece, today, 4)
  store<u32>(piece, fresh, 8)
  memory.copy(piece + 12, seed.dataStart, SEED)
  buildTree(piece + PIECES_AT, PIECE, fresh, piece + 12)
  memory.copy(answers + ANSWERS_ROOT_AT, root, HASH)
  lastFrame = frame
  return Outcome.ok
}

/** Length of the answers, the answers, then the sealed piece where there is anything new. */
export function result(count: u32): Uint8Array {
  const size = ANSWERS_ITEMS_AT + count * ANSWER
  if (fresh == 0) return joined(size, null)
  const plain = new Uint8Array(PIECES_AT + fresh * PIECE)
  memory.copy(plain.dataStart, piece, plain.byteLength)
  // Another length than those of the other labels, so that nothing is taken for something else.
  const label = new Uint8Array(8)
  store<u32>(label.dataStart, lastFrame)
  return joined(size, seal(plain, Policy.mrEnclave, label))
}

function joined(size: u32, sealed: Uint8Array | null): Uint8Array {
  const end = BOOKED_ANSWERS_AT + size
  const bytes = new Uint8Array(end + (sealed === null ? 0 : sealed.byteLength))
  store<u32>(bytes.dataStart, size)
  memory.copy(bytes.dataStart + BOOKED_ANSWERS_AT, answers, size)
  if (sealed !== null) memory.copy(bytes.dataStart + end, sealed.dataStart, sealed.byteLength)
  return bytes
}

function answer(frame: u32, record: usize, index: u32): void {
  const at = answers + ANSWERS_ITEMS_AT + index * ANSWER
  let low = load<u64>(record, EXAMINED_KEY_AT)
  let high = load<u64>(record, EXAMINED_KEY_AT + 8)
  let entry = entryAt(low, high)
  let isDuplicate = false
  if (load<u32>(entry, 52) != 0 && !isSameDigest(entry, record)) {
    // The same ids with other content: refused, and remembered beside the first by its content.
    isDuplicate = true
    low ^= load<u64>(record, EXAMINED_DIGEST_AT + 16)
    high ^= load<u64>(record, EXAMINED_DIGEST_AT + 24)
    entry = entryAt(low, high)
  }
  writeHead(at, record)
  store<u32>(at, load<u32>(record, EXAMINED_MESSAGE_AT), ANSWER_MESSAGE_AT)
  if (load<u32>(entry, 52) != 0) {
    repeat(at, entry)
    return
  }
  if (isDuplicate) refuse(at, Reason.duplicate)
  else if (load<u8>(at, RECORD_DECISION_AT) == ACCEPT && !spend(record)) refuse(at, Reason.perDay)
  store<u32>(at, frame, ANSWER_FRAME_AT)
  store<u32>(at, fresh, ANSWER_LEAF_AT)
  writePiece(at, record, low, high)
  remember(entry, piece + PIECES_AT + fresh * PIECE, frame, fresh)
  fresh++
}

function isSameDigest(entry: usize, record: usize): bool {
  return load<u64>(entry, 36) == load<u64>(record, EXAMINED_DIGEST_AT) && load<u64>(entry, 44) == load<u64>(record, EXAMINED_DIGEST_AT + 8)
}

/** Version, decision, score, role, reason, list id, payment, offset, business day. */
function writeHead(at: usize, record: usize): void {
  memory.fill(at, 0, ANSWER)
  store<u8>(at, RECORD_VERSION)
  store<u8>(at, load<u8>(record, EXAMINED_DECISION_AT), RECORD_DECISION_AT)
  // Score and role; reason and list id.
  store<u16>(at, load<u16>(record, EXAMINED_SCORE_AT), RECORD_SCORE_AT)
  store<u64>(at, load<u64>(record, EXAMINED_REASON_AT), RECORD_REASON_AT)
  store<u32>(at, load<u32>(record, EXAMINED_PAYMENT_AT), RECORD_PAYMENT_AT)
  store<u32>(at, load<u32>(record, EXAMINED_OFFSET_AT), RECORD_OFFSET_AT)
  store<i32>(at, today, RECORD_DAY_AT)
}

function refuse(at: usize, why: u32): void {
  store<u8>(at, REJECT, RECORD_DECISION_AT)
  store<u16>(at, 0, RECORD_SCORE_AT)
  store<u32>(at, why, RECORD_REASON_AT)
  store<u32>(at, 0, RECORD_LIST_ID_AT)
}

/** What was decided the first time, whatever would be decided today. */
function repeat(at: usize, entry: usize): void {
  store<u8>(at, load<u8>(entry, 16), RECORD_DECISION_AT)
  store<u16>(at, load<u16>(entry, 17), RECORD_SCORE_AT)
  store<u32>(at, load<u32>(entry, 24), RECORD_REASON_AT)
  store<u32>(at, load<u32>(entry, 28), RECORD_LIST_ID_AT)
  store<i32>(at, load<i32>(entry, 20), RECORD_DAY_AT)
  store<u32>(at, load<u32>(entry, 52), ANSWER_FRAME_AT)
  store<u32>(at, load<u32>(entry, 56), ANSWER_LEAF_AT)
  store<u32>(at, 1, ANSWER_REPEATED_AT)
}

function writePiece(head: usize, record: usize, low: u64, high: u64): void {
  const at = piece + PIECES_AT + fresh * PIECE
  memory.copy(at, head, RECORD_DIGEST_AT)
  memory.copy(at + RECORD_DIGEST_AT, record + EXAMINED_DIGEST_AT, HASH)
  store<u64>(at, low, 64)
  store<u64>(at, high, 72)
  store<u64>(at, load<u64>(record, EXAMINED_DEBTOR_AT), 80)
  store<u64>(at, load<u64>(record, EXAMINED_AMOUNT_AT), 88)
  store<u32>(at, load<u32>(record, EXAMINED_CURRENCY_AT), 96)
  store<i32>(at, load<i32>(record, EXAMINED_SETTLEMENT_AT), 100)
}

function remember(entry: usize, from: usize, frame: u32, leaf: u32): void {
  memory.copy(entry, from + 64, 16)
  store<u8>(entry, load<u8>(from, RECORD_DECISION_AT), 16)
  store<u16>(entry, load<u16>(from, RECORD_SCORE_AT), 17)
  store<i32>(entry, load<i32>(from, RECORD_DAY_AT), 20)
  store<u32>(entry, load<u32>(from, RECORD_REASON_AT), 24)
  store<u32>(entry, load<u32>(from, RECORD_LIST_ID_AT), 28)
  // A message that was refused as a whole has no date: it is kept as long as one of today.
  const isWhole = load<u32>(from, RECORD_PAYMENT_AT) == WHOLE_MESSAGE
  store<i32>(entry, isWhole ? load<i32>(from, RECORD_DAY_AT) : load<i32>(from, 100), 32)
  memory.copy(entry + 36, from + RECORD_DIGEST_AT, 16)
  store<u32>(entry, frame, 52)
  store<u32>(entry, leaf, 56)
  entryCount++
}

/** Adds the amount to the debtor's day, unless it would be too much. */
function spend(record: usize): bool {
  const key = load<u64>(record, EXAMINED_DEBTOR_AT) | 1
  const amount = load<u64>(record, EXAMINED_AMOUNT_AT)
  const at = spentAt(key)
  const before = load<u64>(at, 8)
  const most = dayLimitOf(load<u32>(record, EXAMINED_CURRENCY_AT))
  if (amount > most || before > most - amount) return false
  add(at, key, amount)
  return true
}

function spentAt(key: u64): usize {
  let slot = <u32>(key >> 32) & spentMask
  let there = load<u64>(spent + slot * SPENT)
  while (there != key && there != 0) {
    slot = (slot + 1) & spentMask
    there = load<u64>(spent + slot * SPENT)
  }
  return spent + slot * SPENT
}

function add(at: usize, key: u64, amount: u64): void {
  if (load<u64>(at) == 0) spentCount++
  store<u64>(at, key)
  store<u64>(at, load<u64>(at, 8) + amount, 8)
}

/** A piece of the journal, opened: everything as it was after its frame. An Outcome; on ok `root` is the frame's. */
export function replayPiece(pointer: usize, length: u32): u32 {
  open()
  if (length < PIECES_AT) return Outcome.malformed
  const frame = load<u32>(pointer)
  const count = load<u32>(pointer, 8)
  if (count == 0 || count > MAX_LEAVES || length != PIECES_AT + count * PIECE) return Outcome.malformed
  if (frame != lastFrame + 1) return Outcome.order
  if (entryCount + count > entryMask - (entryMask >> 2)) return Outcome.full
  beginDay(load<i32>(pointer, 4))
  for (let leaf: u32 = 0; leaf < count; leaf++) {
    const at = pointer + PIECES_AT + leaf * PIECE
    remember(entryAt(load<u64>(at, 64), load<u64>(at, 72)), at, frame, leaf)
    if (load<u8>(at, RECORD_DECISION_AT) != ACCEPT) continue
    const key = load<u64>(at, 80) | 1
    add(spentAt(key), key, load<u64>(at, 88))
  }
  buildTree(pointer + PIECES_AT, PIECE, count, pointer + 12)
  lastFrame = frame
  return Outcome.ok
}
