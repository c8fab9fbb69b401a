// The text of a decimal number as the nearest double, ties to even: bit by bit what JavaScript's Number() says.
// Short numbers take one exact division or multiplication (Clinger 1990). The others are scaled by powers of two as
// strings of decimal digits (the simple decimal conversion that Go and Nigel Tao describe): slow, and plainly right.

/** More than the 767 that can decide about a double's rounding; what is cut off is remembered as "not zero". */
const MAX_DIGITS: i32 = 800
/** A shift by up to 60 bits brings no more digits than this. */
const ROOM: i32 = 20
const MAX_SHIFT: i32 = 60
/** 10 to the power of 22 is the greatest that a double holds exactly. */
const MAX_EXACT_POWER: i32 = 22
const MAX_EXACT_INTEGER: u64 = 1 << 53

const ZERO: u8 = 48
const NINE: u8 = 57

/** Digits 0 to 9, one byte each: the number is 0.d0 d1 d2 … times ten to the power of `point`. */
const digits: usize = memory.data(820)
let count: i32 = 0
let point: i32 = 0
let isCut: bool = false

/** NaN where the text is not [+-] digits [. digits] [e [+-] digits]; infinite where it is too large. */
export function parseDecimal(start: usize, end: usize): f64 {
  let at = start
  let isNegative = false
  if (at < end && (load<u8>(at) == 0x2d || load<u8>(at) == 0x2b)) isNegative = load<u8>(at++) == 0x2d
  at = readDigits(at, end)
  if (at == 0) return NaN
  if (at < end) {
    const exponent = readExponent(at, end)
    if (exponent == i32.MIN_VALUE) return NaN
    point += exponent
  }
  const magnitude = count == 0 ? 0 : convert()
  return isNegative ? -magnitude : magnitude
}

/** Digits with at most one point; where they end, or 0 if there are none. */
function readDigits(start: usize, end: usize): usize {
  count = 0
  point = 0
  isCut = false
  let at = start
  let hasDigit = false
  let hasPoint = false
  for (; at < end; at++) {
    const byte = load<u8>(at)
    if (byte == 0x2e && !hasPoint) {
      hasPoint = true
      continue
    }
    if (byte < ZERO || byte > NINE) break
    hasDigit = true
    if (count == 0 && byte == ZERO) {
      if (hasPoint) point--
      continue
    }
    if (!hasPoint) point++
    if (count < MAX_DIGITS) store<u8>(digits + count++, byte - ZERO)
    else if (byte != ZERO) isCut = true
  }
  trim()
  return hasDigit ? at : 0
}

/** The whole rest as an exponent, held within what can matter; the least i32 where it is none. */
function readExponent(start: usize, end: usize): i32 {
  let at = start
  if ((load<u8>(at++) | 0x20) != 0x65) return i32.MIN_VALUE
  let isNegative = false
  if (at < end && (load<u8>(at) == 0x2d || load<u8>(at) == 0x2b)) isNegative = load<u8>(at++) == 0x2d
  if (at == end) return i32.MIN_VALUE
  let exponent: i32 = 0
  for (; at < end; at++) {
    const byte = load<u8>(at)
    if (byte < ZERO || byte > NINE) return i32.MIN_VALUE
    // A number of 100 million digits has this much to make up for.
    if (exponent < 100_000_000) exponent = exponent * 10 + (byte - ZERO)
  }
  return isNegative ? -exponent : exponent
}

function convert(): f64 {
  if (count <= 19) {
    let integer: u64 = 0
    for (let i = 0; i < count; i++) integer = integer * 10 + load<u8>(digits + i)
    const power = point - count
    if (integer <= MAX_EXACT_INTEGER && power >= -MAX_EXACT_POWER && power <= MAX_EXACT_POWER) {
      return power < 0 ? <f64>integer / exactPower(-power) : <f64>integer * exactPower(power)
    }
  }
  return convertSlowly()
}

function exactPower(power: i32): f64 {
  let result: f64 = 1
  // Each step is exact: no product exceeds 10 to the power of 22.
  for (let i = 0; i < power; i++) result *= 10
  return result
}

function convertSlowly(): f64 {
  if (point > 310) return Infinity
  if (point < -330) return 0
  let exponent = 0
  // Until the number is at least a half and less than one.
  while (point > 0) exponent += shiftRight(stepFor(point))
  while (point < 0 || (point == 0 && load<u8>(digits) < 5)) exponent -= shiftLeft(stepFor(-point))
  exponent -= 1
  // Subnormal: the exponent goes no lower, so the number does.
  while (exponent < -1022) exponent += shiftRight(min(-1022 - exponent, MAX_SHIFT))
  if (exponent > 1023) return Infinity
  shiftLeft(53)
  let mantissa = rounded()
  if (mantissa == 1 << 53) {
    mantissa >>= 1
    exponent++
    if (exponent > 1023) return Infinity
  }
  const biased: u64 = (mantissa & (1 << 52)) == 0 ? 0 : exponent + 1023
  return reinterpret<f64>((mantissa & ((1 << 52) - 1)) | (biased << 52))
}

/** Bits that certainly bring a number with its point there not beyond the other side of one. */
function stepFor(places: i32): i32 {
  // Below places * log2(10), so that less than one stays less than one.
  return places == 0 ? 1 : min((places * 212) >> 6, MAX_SHIFT)
}

/** Divides by 2 to the power of `bits`, at most 60. */
function shiftRight(bits: i32): i32 {
  const mask: u64 = (1 << <u64>bits) - 1
  let read = 0
  let write = 0
  let carry: u64 = 0
  while (carry >> bits == 0) {
    if (read < count) carry = carry * 10 + load<u8>(digits + read)
    else if (carry == 0) break
    else carry *= 10
    read++
  }
  point -= read - 1
  for (; read < count; read++) {
    store<u8>(digits + write++, <u8>(carry >> bits))
    carry = (carry & mask) * 10 + load<u8>(digits + read)
  }
  for (; carry > 0; carry = (carry & mask) * 10) {
    const digit = <u8>(carry >> bits)
    if (write < MAX_DIGITS) store<u8>(digits + write++, digit)
    else if (digit > 0) isCut = true
  }
  count = write
  trim()
  return bits
}

/** Multiplies by 2 to the power of `bits`, at most 60. */
function shiftLeft(bits: i32): i32 {
  let carry: u64 = 0
  let write = count + ROOM
  for (let read = count - 1; read >= 0; read--) {
    carry += (<u64>load<u8>(digits + read)) << bits
    store<u8>(digits + --write, <u8>(carry % 10))
    carry /= 10
  }
  for (; carry > 0; carry /= 10) store<u8>(digits + --write, <u8>(carry % 10))
  const length = count + ROOM - write
  point += length - count
  for (let i = MAX_DIGITS; i < length; i++) if (load<u8>(digits + write + i) != 0) isCut = true
  count = min(length, MAX_DIGITS)
  memory.copy(digits, digits + write, count)
  trim()
  return bits
}

/** The integer that is nearest, ties to even. Only of numbers below 2 to the power of 54. */
function rounded(): u64 {
  let integer: u64 = 0
  for (let i = 0; i < point; i++) integer = integer * 10 + (i < count ? load<u8>(digits + i) : 0)
  if (point < 0 || point >= count) return integer
  const next = load<u8>(digits + point)
  const isTie = next == 5 && point + 1 == count && !isCut
  const isUp = isTie ? (integer & 1) == 1 : next >= 5
  return integer + (isUp ? 1 : 0)
}

/** Zeros at the end say nothing. */
function trim(): void {
  while (count > 0 && load<u8>(digits + count - 1) == 0) count--
}
