// A message while it is read, and the faults of its payments: ids, amounts, dates, accounts and
// banks. Every payment becomes one examined record; a fault of the whole message takes their place.
import { currencyIndex, decimalsOf, isCountry, isIban } from './codes'
import { Capture, Reason, Role } from './layout'
import { limitOf } from './limits'
import { reserve } from './memory'
import { isListedBank, screen, Hit } from './screen'
import { hash, high, low } from './siphash'
import { day, fraction, fractionDigits, whole } from './types'
import {
  ACCEPT,
  EXAMINED,
  EXAMINED_AMOUNT_AT,
  EXAMINED_CURRENCY_AT,
  EXAMINED_DEBTOR_AT,
  EXAMINED_DECISION_AT,
  EXAMINED_KEY_AT,
  EXAMINED_LIST_ID_AT,
  EXAMINED_OFFSET_AT,
  EXAMINED_PAYMENT_AT,
  EXAMINED_REASON_AT,
  EXAMINED_ROLE_AT,
  EXAMINED_SCORE_AT,
  EXAMINED_SETTLEMENT_AT,
  HOLD,
  REJECT,
  WHOLE_MESSAGE,
} from './wire'

/** Faults of one payment; the first one, in this order, is the answer. */
namespace Fault {
  export const debtorBic: u32 = 1
  export const creditorBic: u32 = 2
  export const bic: u32 = 4
  export const debtorAccount: u32 = 8
  export const creditorAccount: u32 = 16
  export const account: u32 = 32
  export const currency: u32 = 64
  export const decimals: u32 = 128
  export const zero: u32 = 256
  export const date: u32 = 512
  export const notAllowed: u32 = 1024
  export const perPayment: u32 = 2048
}
const REASONS: StaticArray<u32> = [
  Reason.debtorBic,
  Reason.creditorBic,
  Reason.bic,
  Reason.debtorAccount,
  Reason.creditorAccount,
  Reason.account,
  Reason.currency,
  Reason.decimals,
  Reason.zero,
  Reason.date,
  Reason.notAllowed,
  Reason.perPayment,
]

/** A message is created today, but for clocks and time zones. */
const MAX_CREATED_AHEAD = 1
/** Settlement, in days around the business day. What is older than the window cannot be forgotten twice. */
export const SETTLEMENT_BACK = 5
const SETTLEMENT_AHEAD = 90
/** No control sum has more digits before the point. */
const MAX_WHOLE: u64 = 1000000000000000000
const FRACTION_UNIT: u64 = 100000000000000000

/** A text that was kept: length, then bytes. 35 characters have at most 140. */
const PART: usize = 160
const parts: usize = reserve(8 * PART)
const MSG_ID = parts
const END_TO_END_ID = parts + PART
const TX_ID = parts + 2 * PART
const ACCOUNT = parts + 3 * PART
const HEADER_AGENT = parts + 4 * PART
const TX_AGENT = parts + 5 * PART
const DEBTOR_AGENT = parts + 6 * PART
/** A name has 140 characters. */
const DEBTOR = reserve(640)
const hashInput: usize = reserve(1024)

let out: usize = 0
let room: u32 = 0
/** Records that the message has made. */
export let made: u32 = 0
let businessDay: i32 = 0
let isInTransaction: bool = false

let createdDay: i32 = 0
let count: u64 = 0
let hasSum: bool = false
let sumWhole: u64 = 0
let sumFraction: u64 = 0
let totalCode: u32 = 0
let totalWhole: u64 = 0
let totalFraction: u64 = 0
let headerDay: i32 = 0
let hasHeaderDay: bool = false
let headerFaults: u32 = 0
/** Of all payments so far. */
let addedWhole: u64 = 0
let addedFraction: u64 = 0
let isAddedTooLarge: bool = false
let isOneCurrency: bool = true

let faults: u32 = 0
let code: u32 = 0
let amountWhole: u64 = 0
let amountFraction: u64 = 0
let settlementDay: i32 = 0
let hasDay: bool = false
let accountKind: u8 = 0
let hasDebtorName: bool = false

const headerHit = new Hit()
const hit = new Hit()

/** `records` has room for `most` records. */
export function beginMessage(records: usize, most: u32, today: i32): void {
  out = records
  room = most
  made = 0
  businessDay = today
  isInTransaction = false
  hasSum = false
  totalCode = 0
  hasHeaderDay = false
  headerFaults = 0
  addedWhole = 0
  addedFraction = 0
  isAddedTooLarge = false
  isOneCurrency = true
  clearPart(HEADER_AGENT)
  headerHit.clear()
}

export function openTransaction(): void {
  isInTransaction = true
  faults = 0
  hasDay = false
  accountKind = 0
  hasDebtorName = false
  clearPart(ACCOUNT)
  clearPart(TX_AGENT)
  clearPart(DEBTOR_AGENT)
  store<u32>(DEBTOR, 0)
  hit.clear()
}

function clearPart(part: usize): void {
  store<u32>(part, 0)
}

function keepPart(part: usize, pointer: usize, length: u32): void {
  store<u32>(part, length)
  memory.copy(part + 4, pointer, length)
}

export function keepText(capture: u8, role: u8, pointer: usize, length: u32): void {
  if (capture == Capture.name) keepName(role, pointer, length)
  else if (capture == Capture.bic) keepBic(role, pointer, length)
  else if (capture == Capture.iban) keepIban(role, pointer, length)
  else if (capture == Capture.account) {
    if (role != Role.dbtrAcct) return
    accountKind = 2
    keepPart(ACCOUNT, pointer, length)
  } else if (capture == Capture.msgId) keepPart(MSG_ID, pointer, length)
  else if (capture == Capture.endToEndId) keepPart(END_TO_END_ID, pointer, length)
  else if (capture == Capture.txId) keepPart(TX_ID, pointer, length)
  else if (capture == Capture.created) createdDay = day
  else if (capture == Capture.count) keepCount(pointer, length)
  else if (capture == Capture.headerDate) {
    hasHeaderDay = true
    headerDay = day
  } else if (capture == Capture.date) {
    hasDay = true
    settlementDay = day
  } else if (capture == Capture.sum) {
    hasSum = true
    sumWhole = whole
    sumFraction = fraction
  }
}

function keepCount(pointer: usize, length: u32): void {
  count = 0
  for (let at: u32 = 0; at < length; at++) count = count * 10 + (load<u8>(pointer + at) - 48)
}

function addFaults(bits: u32): void {
  if (isInTransaction) faults |= bits
  else headerFaults |= bits
}

function keepName(role: u8, pointer: usize, length: u32): void {
  if (role == Role.dbtr) {
    store<u32>(DEBTOR, length)
    memory.copy(DEBTOR + 4, pointer, length)
  }
  screen(pointer, length, role, isInTransaction ? hit : headerHit)
}

function keepBic(role: u8, pointer: usize, length: u32): void {
  if (!isCountry(pointer + 4)) {
    addFaults(role == Role.dbtrAgt ? Fault.debtorBic : role == Role.cdtrAgt ? Fault.creditorBic : Fault.bic)
  }
  if (role == Role.instgAgt) keepPart(HEADER_AGENT, pointer, length)
  else if (role == Role.txInstgAgt) keepPart(TX_AGENT, pointer, length)
  else if (role == Role.dbtrAgt) keepPart(DEBTOR_AGENT, pointer, length)
  isListedBank(pointer, role, isInTransaction ? hit : headerHit)
}

function keepIban(role: u8, pointer: usize, length: u32): void {
  if (!isIban(pointer, length)) {
    addFaults(role == Role.dbtrAcct ? Fault.debtorAccount : role == Role.cdtrAcct ? Fault.creditorAccount : Fault.account)
  }
  if (role != Role.dbtrAcct) return
  accountKind = 1
  keepPart(ACCOUNT, pointer, length)
}

export function keepAmount(capture: u8, currency: u32): void {
  const decimals = decimalsOf(currency)
  if (capture == Capture.amount) {
    code = currency
    amountWhole = whole
    amountFraction = fraction
    if (decimals < 0) faults |= Fault.currency
    else if (<i32>fractionDigits > decimals) faults |= Fault.decimals
    if (whole == 0 && fraction == 0) faults |= Fault.zero
  } else if (capture == Capture.instructed) {
    if (decimals >= 0 && <i32>fractionDigits > decimals) faults |= Fault.decimals
  } else if (capture == Capture.total) {
    totalCode = currency
    totalWhole = whole
    totalFraction = fraction
  }
}

export function closeTransaction(): void {
  addAmount()
  if (totalCode != 0 && totalCode != code) isOneCurrency = false
  // Said once: for all payments, or for each.
  if (hasDay == hasHeaderDay) faults |= Fault.date
  const settles = hasDay ? settlementDay : headerDay
  if (hasDay != hasHeaderDay && (settles < businessDay - SETTLEMENT_BACK || settles > businessDay + SETTLEMENT_AHEAD)) {
    faults |= Fault.date
  }
  const minor = minorUnits()
  if ((faults & Fault.currency) == 0) {
    const most = limitOf(code)
    if (most == 0) faults |= Fault.notAllowed
    else if (minor > most) faults |= Fault.perPayment
  }
  if (made < room) writeRecord(minor, settles)
  made++
  isInTransaction = false
}

function addAmount(): void {
  addedFraction += amountFraction
  if (addedFraction >= FRACTION_UNIT) {
    addedFraction -= FRACTION_UNIT
    addedWhole++
  }
  addedWhole += amountWhole
  if (addedWhole >= MAX_WHOLE) {
    isAddedTooLarge = true
    addedWhole = 0
  }
}

/** In the currency's smallest units; what no limit reaches is all ones. */
function minorUnits(): u64 {
  const decimals = decimalsOf(code)
  if (amountWhole > 1000000000000000) return u64.MAX_VALUE
  let unit: u64 = 1
  for (let at = 0; at < decimals; at++) unit *= 10
  return amountWhole * unit + amountFraction / (FRACTION_UNIT / unit)
}

/** All but the message's digest and number. The decision is that so far: limits of a day are kept elsewhere. */
function writeRecord(minor: u64, settles: i32): void {
  const at = out + made * EXAMINED
  memory.fill(at, 0, EXAMINED)
  const all = faults | headerFaults
  const best = hit.score > headerHit.score ? hit : headerHit
  if (best.score > 0) {
    store<u8>(at, HOLD, EXAMINED_DECISION_AT)
    store<u8>(at, best.score, EXAMINED_SCORE_AT)
    store<u8>(at, best.role, EXAMINED_ROLE_AT)
    store<u32>(at, Reason.regulatory, EXAMINED_REASON_AT)
    store<u32>(at, best.id, EXAMINED_LIST_ID_AT)
  } else if (all != 0) {
    store<u8>(at, REJECT, EXAMINED_DECISION_AT)
    store<u32>(at, unchecked(REASONS[ctz(all)]), EXAMINED_REASON_AT)
  } else store<u8>(at, ACCEPT, EXAMINED_DECISION_AT)
  store<u32>(at, made, EXAMINED_PAYMENT_AT)
  hashIds()
  store<u64>(at, low, EXAMINED_KEY_AT)
  store<u64>(at, high, EXAMINED_KEY_AT + 8)
  hashDebtor()
  store<u64>(at, low, EXAMINED_DEBTOR_AT)
  store<u64>(at, minor, EXAMINED_AMOUNT_AT)
  store<u32>(at, currencyIndex(code), EXAMINED_CURRENCY_AT)
  store<i32>(at, settles, EXAMINED_SETTLEMENT_AT)
}

let filled: u32 = 0
function addPart(part: usize): void {
  const length = load<u32>(part)
  store<u16>(hashInput + filled, <u16>length)
  memory.copy(hashInput + filled + 2, part + 4, length)
  filled += length + 2
}

/** Who sent it, and the three ids. */
function hashIds(): void {
  filled = 0
  addPart(load<u32>(TX_AGENT) != 0 ? TX_AGENT : HEADER_AGENT)
  addPart(MSG_ID)
  addPart(END_TO_END_ID)
  addPart(TX_ID)
  hash(hashInput, filled)
}

/** The account and currency; without an account, the name. What is no IBAN is the account of a bank. */
function hashDebtor(): void {
  store<u32>(hashInput, code)
  store<u8>(hashInput, accountKind, 3)
  filled = 4
  if (accountKind != 1) addPart(DEBTOR_AGENT)
  addPart(accountKind == 0 ? DEBTOR : ACCOUNT)
  hash(hashInput, filled)
}

/** The reason why the whole message is refused, or 0; called when it has been read to its end. */
export function wholeFault(): u32 {
  if (made > room || count != made) return Reason.count
  if (hasSum && (isAddedTooLarge || sumWhole != addedWhole || sumFraction != addedFraction)) return Reason.sum
  if (totalCode != 0) {
    const differs = isAddedTooLarge || totalWhole != addedWhole || totalFraction != addedFraction
    if (differs || !isOneCurrency) return Reason.total
  }
  return createdDay > businessDay + MAX_CREATED_AHEAD ? Reason.created : Reason.none
}

/** One record in place of all; `offset` says where reading stopped, 0 if it did not. */
export function refuseWhole(why: u32, offset: u32): void {
  memory.fill(out, 0, EXAMINED)
  store<u8>(out, REJECT, EXAMINED_DECISION_AT)
  store<u32>(out, why, EXAMINED_REASON_AT)
  store<u32>(out, WHOLE_MESSAGE, EXAMINED_PAYMENT_AT)
  store<u32>(out, offset, EXAMINED_OFFSET_AT)
  made = 1
}
