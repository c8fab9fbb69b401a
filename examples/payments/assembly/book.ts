// The part that remembers: which payments were decided, and what every debtor has sent today. One instance alone does it,
// frame after frame. It can know all of that again from the sealed journal, of which each frame leaves a piece. A frame
// counts only once its piece is on disk; the host waits for that.
import { config, Policy, seal, random } from 'casemate'
import { Reason } from './layout'
import { dayLimitOf } from './limits'
import { SETTLEMENT_BACK } from './message'
import { reserve } from './memory'
import { Answer, Entry, Examined, Piece, Spent } from './records'
import { buildTree, MAX_LEAVES, root } from './tree'
import {
  ACCEPT,
  ANSWER,
  ANSWERS_FRESH_AT,
  ANSWERS_ITEMS_AT,
  ANSWERS_ROOT_AT,
  ANSWERS_SEED_AT,
  BOOKED_ANSWERS_AT,
  EXAMINED,
  HASH,
  RECORD_VERSION,
  REJECT,
  WHOLE_MESSAGE,
} from './wire'

/** Of an {@link Entry} and of a {@link Piece}, in bytes. */
const ENTRY: usize = 64
export const PIECE: u32 = 104
/** Before the pieces: frame, business day, count, seed. */
export const PIECES_AT: u32 = 44
/** Of a {@link Spent}, in bytes. */
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
function entryIn(slot: u32): Entry {
  return changetype<Entry>(entries + slot * ENTRY)
}

/** That of a payment's key, or the free one where it belongs. */
// @ts-ignore: decorator
@inline
function entryOf(low: u64, high: u64): Entry {
  let slot = <u32>low & entryMask
  let entry = entryIn(slot)
  while (entry.frame != 0 && (entry.keyLow != low || entry.keyHigh != high)) {
    slot = (slot + 1) & entryMask
    entry = entryIn(slot)
  }
  return entry
}

/** A new day: what nobody can send again is forgotten, and every debtor begins anew. */
function beginDay(day: i32): void {
  if (day <= today) return
  today = day
  memory.fill(spent, 0, SPENT << SPENT_BITS)
  spentCount = 0
  for (let slot: u32 = 0; slot <= entryMask; slot++) {
    const entry = entryIn(slot)
    while (entry.frame != 0 && entry.settlement + SETTLEMENT_BACK < day) remove(slot)
  }
}

/** Those behind it move up, so that they are still found. */
function remove(slot: u32): void {
  entryCount--
  let free = slot
  for (let next = (slot + 1) & entryMask; entryIn(next).frame != 0; next = (next + 1) & entryMask) {
    const home = <u32>entryIn(next).keyLow & entryMask
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
  for (let index: u32 = 0; index < count; index++) answer(frame, changetype<Examined>(records + index * EXAMINED), index)
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

function answer(frame: u32, examined: Examined, index: u32): void {
  const given = changetype<Answer>(answers + ANSWERS_ITEMS_AT + index * ANSWER)
  let low = examined.keyLow
  let high = examined.keyHigh
  let entry = entryOf(low, high)
  let isDuplicate = false
  if (entry.frame != 0 && !isSameDigest(entry, examined)) {
    // The same ids with other content: refused, and remembered beside the first by its content.
    isDuplicate = true
    low ^= examined.digest3
    high ^= examined.digest4
    entry = entryOf(low, high)
  }
  writeHead(given, examined)
  given.message = examined.message
  if (entry.frame != 0) {
    repeat(given, entry)
    return
  }
  if (isDuplicate) refuse(given, Reason.duplicate)
  else if (given.decision == ACCEPT && !spend(examined)) refuse(given, Reason.perDay)
  given.frame = frame
  given.leaf = fresh
  const piece = pieceIn(fresh)
  writePiece(piece, given, examined)
  piece.keyLow = low
  piece.keyHigh = high
  remember(entry, piece, frame, fresh)
  fresh++
}

// @ts-ignore: decorator
@inline
function pieceIn(leaf: u32): Piece {
  return changetype<Piece>(piece + PIECES_AT + leaf * PIECE)
}

function isSameDigest(entry: Entry, examined: Examined): bool {
  return entry.digest1 == examined.digest1 && entry.digest2 == examined.digest2
}

function writeHead(given: Answer, examined: Examined): void {
  memory.fill(changetype<usize>(given), 0, ANSWER)
  given.version = <u8>RECORD_VERSION
  given.decision = examined.decision
  given.score = examined.score
  given.role = examined.role
  given.reason = examined.reason
  given.listId = examined.listId
  given.payment = examined.payment
  given.offset = examined.offset
  given.day = today
}

function refuse(given: Answer, why: u32): void {
  given.decision = <u8>REJECT
  given.score = 0
  given.role = 0
  given.reason = why
  given.listId = 0
}

/** As it was decided the first time, whatever would be decided today. */
function repeat(given: Answer, entry: Entry): void {
  given.decision = entry.decision
  given.score = entry.score
  given.role = entry.role
  given.reason = entry.reason
  given.listId = entry.listId
  given.day = entry.day
  given.frame = entry.frame
  given.leaf = entry.leaf
  given.isRepeated = 1
}

function writePiece(piece: Piece, given: Answer, examined: Examined): void {
  memory.copy(changetype<usize>(piece), changetype<usize>(given), offsetof<Piece>('digest1'))
  piece.digest1 = examined.digest1
  piece.digest2 = examined.digest2
  piece.digest3 = examined.digest3
  piece.digest4 = examined.digest4
  piece.debtor = examined.debtor
  piece.amount = examined.amount
  piece.currency = examined.currency
  piece.settlement = examined.settlement
}

function remember(entry: Entry, from: Piece, frame: u32, leaf: u32): void {
  entry.keyLow = from.keyLow
  entry.keyHigh = from.keyHigh
  entry.digest1 = from.digest1
  entry.digest2 = from.digest2
  entry.decision = from.decision
  entry.score = from.score
  entry.role = from.role
  entry.day = from.day
  entry.reason = from.reason
  entry.listId = from.listId
  // A message that was refused as a whole has no date: it is kept as long as one of today.
  entry.settlement = from.payment == WHOLE_MESSAGE ? from.day : from.settlement
  entry.frame = frame
  entry.leaf = leaf
  entryCount++
}

/** Adds the amount to the debtor's day, unless it would be too much. */
function spend(examined: Examined): bool {
  const key = examined.debtor | 1
  const amount = examined.amount
  const day = spentOf(key)
  const most = dayLimitOf(examined.currency)
  if (amount > most || day.amount > most - amount) return false
  add(day, key, amount)
  return true
}

function spentOf(key: u64): Spent {
  let slot = <u32>(key >> 32) & spentMask
  let day = changetype<Spent>(spent + slot * SPENT)
  while (day.key != key && day.key != 0) {
    slot = (slot + 1) & spentMask
    day = changetype<Spent>(spent + slot * SPENT)
  }
  return day
}

function add(day: Spent, key: u64, amount: u64): void {
  if (day.key == 0) spentCount++
  day.key = key
  day.amount += amount
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
    const from = changetype<Piece>(pointer + PIECES_AT + leaf * PIECE)
    remember(entryOf(from.keyLow, from.keyHigh), from, frame, leaf)
    if (from.decision != ACCEPT) continue
    const key = from.debtor | 1
    add(spentOf(key), key, from.amount)
  }
  buildTree(pointer + PIECES_AT, PIECE, count, pointer + 12)
  lastFrame = frame
  return Outcome.ok
}
