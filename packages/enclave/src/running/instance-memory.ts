// The memory of an instance, as the platform reaches into it: through the code's own allocator, checked at every step.
// The buffer is read anew each time, since it is another one after the memory has grown.
import type { Span } from './abi.ts'

/** The code's allocator has nothing left. */
export class NoMemory extends Error {
  override readonly name = 'NoMemory'
}

interface Exports {
  readonly memory: WebAssembly.Memory
  readonly alloc: (length: number) => number
  readonly free: (pointer: number, length: number) => void
}

/** Usable from the moment the instance is attached: a start function cannot call imports that need it. */
export class InstanceMemory {
  #exports: Exports | null = null

  attach(exports: Exports): void {
    this.#exports = exports
  }

  /** Bytes put into memory that the code allocates; nothing for nothing. @throws {NoMemory} */
  put(bytes: Uint8Array): Span {
    const span = this.makeRoom(bytes.length)
    if (span.length !== 0) this.view(span).set(bytes)
    return span
  }

  /** Memory that the code allocates; views of before may be of no more use. @throws {NoMemory} */
  makeRoom(length: number): Span {
    return { pointer: length === 0 ? 0 : this.#allocate(length), length }
  }

  #allocate(length: number): number {
    const { alloc } = this.#attached()
    const message = `the code has no memory for ${length} bytes`
    try {
      // i32 comes as a signed number.
      const pointer = alloc(length) >>> 0
      if (pointer !== 0) return pointer
    } catch (error) {
      // Allocators of languages without null pointers trap instead; they do nothing else that could.
      if (error instanceof WebAssembly.RuntimeError) throw new NoMemory(message, { cause: error })
      throw error
    }
    throw new NoMemory(message)
  }

  /** @throws {RangeError} if it reaches beyond the memory */
  view({ pointer, length }: Span): Uint8Array<ArrayBuffer> {
    const { buffer } = this.#attached().memory
    if (pointer + length > buffer.byteLength) {
      throw new RangeError(
        `${length} bytes at ${pointer} reach beyond the memory of ${buffer.byteLength} bytes`,
      )
    }
    return new Uint8Array(buffer, pointer, length)
  }

  /** @throws {RangeError} if it reaches beyond the memory */
  copy(span: Span): Uint8Array<ArrayBuffer> {
    return this.view(span).slice()
  }

  release({ pointer, length }: Span): void {
    if (length !== 0) this.#attached().free(pointer, length)
  }

  #attached(): Exports {
    if (this.#exports === null) throw new TypeError('an import was called before the code was instantiated')
    return this.#exports
  }
}
