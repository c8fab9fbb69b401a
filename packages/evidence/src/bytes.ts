// Byte strings: hex, base64, comparison, and a little-endian reader for the vendors' binary structures.
// Every function is total over `Uint8Array`; readers refuse instead of reading past the end.

import { Refusal, type RefusalCode } from './refusal.ts'

const HEX_DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const UTF8_ENCODER = new TextEncoder()

/** Hex and base64 of ECMAScript 2026, which Node 24 and older browsers lack. */
interface Native {
  toHex?(): string
  toBase64?(): string
}
interface NativeConstructor {
  fromHex?(text: string): Uint8Array
  fromBase64?(text: string): Uint8Array
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  const native = (bytes as Native).toHex?.()
  if (native !== undefined) return native
  let hex = ''
  for (const byte of bytes) hex += HEX_DIGITS[byte]
  return hex
}

/** Bytes of an even number of hex digits in either case; null for anything else. */
export function fromHex(hex: string): Uint8Array | null {
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) return null
  const native = (Uint8Array as NativeConstructor).fromHex?.(hex)
  if (native) return native
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/** Bytes of standard or URL-safe base64, padded or not, without white space; null for anything else. */
export function fromBase64(text: string): Uint8Array | null {
  const padding = text.endsWith('==') ? 2 : Number(text.endsWith('='))
  const digits = text
    .slice(0, text.length - padding)
    .replaceAll('-', '+')
    .replaceAll('_', '/')
  if (digits.length % 4 === 1 || (padding > 0 && text.length % 4 !== 0)) return null
  const bytes = decodeDigits(digits)
  // White space and padding, which decoders skip, are missing here.
  return bytes?.length === Math.floor((digits.length * 3) / 4) ? bytes : null
}

/** The same with white space among it, as in PEM. */
export function fromSpacedBase64(text: string): Uint8Array | null {
  // Decoders skip white space, a form feed too, which PEM has not; whatever else they do not take, may be URL-safe.
  const bytes = text.includes('\f') ? null : decodeDigits(text)
  return bytes ?? fromBase64(text.replace(/[ \t\r\n]+/g, ''))
}

function decodeDigits(digits: string): Uint8Array | null {
  try {
    const native = (Uint8Array as NativeConstructor).fromBase64?.(digits)
    if (native !== undefined) return native
    const binary = atob(digits)
    const bytes = new Uint8Array(binary.length)
    for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at)
    return bytes
  } catch {
    return null
  }
}

/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  return (bytes as Native).toBase64?.() ?? btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''))
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** Equality of public values; not constant-time. For long ones `#crypto` has a faster one. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false
  return true
}

/** Whether `wanted` stands at `offset`. */
export function startsWith(bytes: Uint8Array, wanted: Uint8Array, offset = 0): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[offset + i] !== wanted[i]) return false
  return true
}

/** Text of strict UTF-8; null where the bytes are something else. A byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return STRICT_UTF8.decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

export function encodeUtf8(text: string): Uint8Array {
  return UTF8_ENCODER.encode(text)
}

/**
 * Reads a little-endian structure from front to back.
 * @throws {Refusal} the code that it was given (`evidence-malformed`), when the bytes end too early
 */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #what: string
  readonly #code: RefusalCode
  #offset = 0

  constructor(bytes: Uint8Array, what: string, code: RefusalCode = 'evidence-malformed') {
    this.#bytes = bytes
    this.#what = what
    this.#code = code
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  u8(field: string): number {
    return this.#octet(this.#advance(1, field))
  }

  u16(field: string): number {
    const at = this.#advance(2, field)
    return this.#octet(at) + this.#octet(at + 1) * 0x100
  }

  u32(field: string): number {
    const at = this.#advance(4, field)
    return (
      this.#octet(at) +
      this.#octet(at + 1) * 0x100 +
      this.#octet(at + 2) * 0x1_0000 +
      this.#octet(at + 3) * 0x100_0000
    )
  }

  u64(field: string): bigint {
    const at = this.#advance(8, field)
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).getBigUint64(0, true)
  }

  /** A view, not a copy. */
  bytes(size: number, field: string): Uint8Array {
    const start = this.#advance(size, field)
    return this.#bytes.subarray(start, start + size)
  }

  /** Skips a field that must be zero. */
  zeros(size: number, field: string): void {
    const start = this.#offset
    if (!isZero(this.bytes(size, field))) {
      throw new Refusal(this.#code, `${this.#what}: ${field} at offset ${start} is not zero`, {
        expected: `${size} zero bytes`,
        got: toHex(this.#bytes.subarray(start, start + size)),
      })
    }
  }

  #octet(at: number): number {
    return this.#bytes[at] ?? 0
  }

  #advance(size: number, field: string): number {
    if (size > this.remaining) {
      throw new Refusal(
        this.#code,
        `${this.#what}: ${field} at offset ${this.#offset} is ${size} bytes, ${this.remaining} are left`,
        { expected: `${size} bytes`, got: `${this.remaining} bytes` },
      )
    }
    const start = this.#offset
    this.#offset += size
    return start
  }
}
