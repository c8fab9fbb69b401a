// Reads the numbers, names and parts of WebAssembly's binary format (core specification, section 5.2), front to back and
// never past the end.
import { decodeUtf8 } from '@casemate/evidence/bytes'
import { EnclaveError } from '../errors.ts'

export class WasmReader {
  readonly #bytes: Uint8Array
  #offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes
    this.#offset = offset
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#bytes.length
  }

  /** Bytes that are still to be read. */
  get left(): number {
    return this.#bytes.length - this.#offset
  }

  byte(): number {
    const byte = this.#bytes[this.#offset++]
    if (byte === undefined) throw invalidCode('the module ends too early')
    return byte
  }

  /** LEB128. */
  u32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break
        return value
      }
    }
    throw invalidCode('a number does not fit 32 bits')
  }

  /** A signed number of at most so many bits, whose value does not matter here. */
  skipSigned(bits: 32 | 64): void {
    for (let left = Math.ceil(bits / 7); left > 0; left--) if (this.byte() < 0x80) return
    throw invalidCode(`a number does not fit ${bits} bits`)
  }

  skip(size: number): void {
    this.#take(size)
  }

  /** Text of at most so many bytes. */
  name(limit: number): string {
    const size = this.u32()
    if (size > limit) {
      throw new EnclaveError('limit-exceeded', `a name has ${size} bytes, want at most ${limit}`, {
        expected: `at most ${limit} bytes`,
        got: `${size} bytes`,
        hint: 'shorten the names of imports and exports',
      })
    }
    const text = decodeUtf8(this.#take(size))
    if (text === null) throw invalidCode('a name is not UTF-8')
    return text
  }

  part(size: number): WasmReader {
    return new WasmReader(this.#take(size))
  }

  #take(size: number): Uint8Array {
    const end = this.#offset + size
    if (end > this.#bytes.length) throw invalidCode('the module ends too early')
    const taken = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return taken
  }
}

export function invalidCode(message: string, expected?: string): EnclaveError {
  return new EnclaveError('invalid-code', message, expected === undefined ? {} : { expected })
}
