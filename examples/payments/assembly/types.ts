// The simple types of the schema: whether a text is of its type, and what amounts, dates and decimals mean.
// XML Schema collapses white space around what is not a string; amounts are decimals, never floating point.
import { isCode, Kind, simpleA, simpleB, simpleKind } from './schema-table'

/** Found by `readDecimal`: the whole part, and the fraction in units of 10^-17. */
export let whole: u64 = 0
export let fraction: u64 = 0
/** Digits after the point, without trailing zeros. */
export let fractionDigits: u32 = 0
export let isNegative: bool = false
/** Found by `readDate`: days since 1970-01-01. */
export let day: i32 = 0

/** Of the text last trimmed. */
let from: usize = 0
let until: usize = 0

// @ts-ignore: decorator
@inline
function isDigit(byte: u32): bool {
  return byte - 48 < 10
}
// @ts-ignore: decorator
@inline
function isUpper(byte: u32): bool {
  return byte - 65 < 26
}
// @ts-ignore: decorator
@inline
function isLower(byte: u32): bool {
  return byte - 97 < 26
}
// @ts-ignore: decorator
@inline
function isSpace(byte: u32): bool {
  return byte == 32 || byte == 10 || byte == 9 || byte == 13
}

function trim(pointer: usize, length: u32): void {
  from = pointer
  until = pointer + length
  while (from < until && isSpace(load<u8>(from))) from++
  while (until > from && isSpace(load<u8>(until - 1))) until--
}

/** Whether the text is of the simple type; `characters` is its length in characters. */
export function isOfType(simple: u32, pointer: usize, length: u32, characters: u32): bool {
  const kind = simpleKind(simple)
  if (kind == Kind.text) return characters > 0 && characters <= simpleA(simple)
  if (kind == Kind.codes) return length == 4 && isCode(simple, load<u32>(pointer))
  if (kind == Kind.bic) return isBic(pointer, length)
  if (kind == Kind.country) return length == 2 && allUpper(pointer, 2)
  if (kind == Kind.currency) return length == 3 && allUpper(pointer, 3)
  if (kind == Kind.iban) return isIbanShaped(pointer, length)
  if (kind == Kind.numeric) return length > 0 && length <= simpleA(simple) && allDigits(pointer, length)
  if (kind == Kind.phone) return isPhone(pointer, length)
  trim(pointer, length)
  if (kind == Kind.amount) return readDecimal(18, 5) && !isNegative
  if (kind == Kind.decimal) return readDecimal(simpleA(simple), simpleB(simple))
  if (kind == Kind.date) return readDate() && isZoneOrEnd()
  if (kind == Kind.dateTime) return readDate() && from < until && load<u8>(from++) == 84 && readTime() && isZoneOrEnd()
  if (kind == Kind.time) return readTime() && isZoneOrEnd()
  return kind == Kind.boolean && isBoolean()
}

function allUpper(pointer: usize, length: u32): bool {
  for (let at: u32 = 0; at < length; at++) if (!isUpper(load<u8>(pointer + at))) return false
  return true
}

function allDigits(pointer: usize, length: u32): bool {
  for (let at: u32 = 0; at < length; at++) if (!isDigit(load<u8>(pointer + at))) return false
  return true
}

/** [A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})? */
function isBic(pointer: usize, length: u32): bool {
  if ((length != 8 && length != 11) || !allUpper(pointer, 6)) return false
  const seventh: u32 = load<u8>(pointer + 6)
  const eighth: u32 = load<u8>(pointer + 7)
  if (!isUpper(seventh) && (!isDigit(seventh) || seventh < 50)) return false
  if ((!isUpper(eighth) && !isDigit(eighth)) || eighth == 79) return false
  for (let at: u32 = 8; at < length; at++) {
    const byte: u32 = load<u8>(pointer + at)
    if (!isUpper(byte) && !isDigit(byte)) return false
  }
  return true
}

/** [A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30} */
function isIbanShaped(pointer: usize, length: u32): bool {
  if (length < 5 || length > 34 || !allUpper(pointer, 2) || !allDigits(pointer + 2, 2)) return false
  for (let at: u32 = 4; at < length; at++) {
    const byte: u32 = load<u8>(pointer + at)
    if (!isUpper(byte) && !isLower(byte) && !isDigit(byte)) return false
  }
  return true
}

/** \+[0-9]{1,3}-[0-9()+\-]{1,30} */
function isPhone(pointer: usize, length: u32): bool {
  if (length < 4 || load<u8>(pointer) != 43) return false
  let at: u32 = 1
  while (at < length && at < 5 && isDigit(load<u8>(pointer + at))) at++
  if (at == 1 || at > 4 || at >= length || load<u8>(pointer + at) != 45) return false
  const rest = length - ++at
  if (rest < 1 || rest > 30) return false
  for (; at < length; at++) {
    const byte: u32 = load<u8>(pointer + at)
    if (!isDigit(byte) && byte != 40 && byte != 41 && byte != 43 && byte != 45) return false
  }
  return true
}

/** Leading zeros, and trailing ones of the fraction, count for nothing, as XML Schema has it. */
function readDecimal(totalDigits: u32, maxFraction: u32): bool {
  whole = 0
  fraction = 0
  fractionDigits = 0
  isNegative = false
  let digits: u32 = 0
  let hasDigit = false
  if (from < until && (load<u8>(from) == 45 || load<u8>(from) == 43)) isNegative = load<u8>(from++) == 45
  for (; from < until && isDigit(load<u8>(from)); from++) {
    hasDigit = true
    if (digits == 0 && load<u8>(from) == 48) continue
    if (++digits > 18) return false
    whole = whole * 10 + (load<u8>(from) - 48)
  }
  if (from < until && load<u8>(from) == 46) {
    from++
    let end = until
    while (end > from && load<u8>(end - 1) == 48) {
      hasDigit = true
      end--
    }
    let unit: u64 = 10000000000000000
    for (; from < end; from++) {
      if (!isDigit(load<u8>(from)) || ++fractionDigits > 17) return false
      hasDigit = true
      fraction += unit * (load<u8>(from) - 48)
      unit /= 10
    }
    from = until
  }
  if (whole == 0 && fraction == 0) isNegative = false
  return hasDigit && from == until && fractionDigits <= maxFraction && digits + fractionDigits <= totalDigits
}

function twoDigits(at: usize): u32 {
  const tens: u32 = load<u8>(at)
  const ones: u32 = load<u8>(at + 1)
  return isDigit(tens) && isDigit(ones) ? (tens - 48) * 10 + ones - 48 : 100
}

/** YYYY-MM-DD of the Gregorian calendar, years 0001 to 9999. */
function readDate(): bool {
  if (until - from < 10 || load<u8>(from + 4) != 45 || load<u8>(from + 7) != 45) return false
  const century = twoDigits(from)
  const years = twoDigits(from + 2)
  const month = twoDigits(from + 5)
  const date = twoDigits(from + 8)
  if (century > 99 || years > 99 || month < 1 || month > 12 || date < 1) return false
  const year = century * 100 + years
  if (year == 0 || date > daysOf(year, month)) return false
  day = daysSinceEpoch(year, month, date)
  from += 10
  return true
}

function daysOf(year: u32, month: u32): u32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
}

function daysSinceEpoch(year: i32, month: i32, date: i32): i32 {
  // Years that begin in March, so that a leap day is the last.
  const y = month <= 2 ? year - 1 : year
  const m = month <= 2 ? month + 9 : month - 3
  const era = y / 400
  const yearOfEra = y - era * 400
  const dayOfYear = (153 * m + 2) / 5 + date - 1
  return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468
}

/** hh:mm:ss and a fraction; 24:00:00 is refused. */
function readTime(): bool {
  if (until - from < 8 || load<u8>(from + 2) != 58 || load<u8>(from + 5) != 58) return false
  if (twoDigits(from) > 23 || twoDigits(from + 3) > 59 || twoDigits(from + 6) > 59) return false
  from += 8
  if (from == until || load<u8>(from) != 46) return true
  const point = from++
  while (from < until && isDigit(load<u8>(from))) from++
  return from > point + 1
}

/** Z or ±hh:mm up to 14:00, or nothing. */
function isZoneOrEnd(): bool {
  if (from == until) return true
  const sign: u32 = load<u8>(from)
  if (sign == 90) return from + 1 == until
  if ((sign != 43 && sign != 45) || until - from != 6 || load<u8>(from + 3) != 58) return false
  const hours = twoDigits(from + 1)
  const minutes = twoDigits(from + 4)
  return (hours < 14 && minutes < 60) || (hours == 14 && minutes == 0)
}

function isBoolean(): bool {
  const length = until - from
  if (length == 1) return load<u8>(from) == 48 || load<u8>(from) == 49
  if (length == 4) return load<u32>(from) == 0x65757274
  return length == 5 && load<u32>(from) == 0x736c6166 && load<u8>(from + 4) == 101
}
