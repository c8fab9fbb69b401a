// A tiny assembler for WebAssembly modules of tests: function bodies are bytes, sections are put around them.

/** Types of values. */
export const I32 = 0x7f
export const I64 = 0x7e

export interface TestFunction {
  readonly name: string
  readonly params: readonly number[]
  readonly results: readonly number[]
  /** Without locals and without the final `end`. */
  readonly body: readonly number[]
  /** Number of locals of type i32. */
  readonly locals?: number
}

export interface TestModule {
  readonly imports?: readonly (Omit<TestFunction, 'body'> & { readonly module: string })[]
  readonly functions: readonly TestFunction[]
  /** Null for no memory; `max` null for no maximum. */
  readonly memory?: { readonly min: number; readonly max: number | null; readonly name: string } | null
  /** A mutable global i32 with this value. */
  readonly heapBase?: number
  /** Index of a function to start. */
  readonly start?: number
  /** Sections put between memory and global, and imports of other kinds, as bytes. */
  readonly rawImports?: readonly (readonly number[])[]
  readonly data?: string
}

export function leb(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    const byte = rest & 0x7f
    rest >>>= 7
    bytes.push(rest === 0 ? byte : byte | 0x80)
  } while (rest !== 0)
  return bytes
}

/** Signed, for constants. */
export function sleb(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (;;) {
    const byte = rest & 0x7f
    rest >>= 7
    const isDone = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)
    bytes.push(isDone ? byte : byte | 0x80)
    if (isDone) return bytes
  }
}

export function text(value: string): number[] {
  const bytes = [...Buffer.from(value)]
  return [...leb(bytes.length), ...bytes]
}

/** An entry of the section of types. */
export function functionType(params: readonly number[], results: readonly number[]): number[] {
  return [0x60, ...leb(params.length), ...params, ...leb(results.length), ...results]
}

export function encodeModule(module: TestModule): Uint8Array<ArrayBuffer> {
  const imports = module.imports ?? []
  const { functions } = module
  const memory = module.memory === undefined ? { min: 1, max: 4, name: 'memory' } : module.memory
  const all = [...imports, ...functions]
  const rawImports = module.rawImports ?? []
  const exports = functions.map((item, index) => [...text(item.name), 0, ...leb(imports.length + index)])
  if (memory !== null) exports.push([...text(memory.name), 2, 0])
  const bodies = functions.map(({ body, locals = 0 }) => {
    const code = [...(locals === 0 ? [0] : [1, ...leb(locals), I32]), ...body, 0x0b]
    return [...leb(code.length), ...code]
  })
  const limits =
    memory === null
      ? []
      : memory.max === null
        ? [0, ...leb(memory.min)]
        : [1, ...leb(memory.min), ...leb(memory.max)]
  const data = module.data === undefined ? [] : [[0, 0x41, 0, 0x0b, ...text(module.data)]]
  return Uint8Array.from([
    0,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(
      1,
      all.map(({ params, results }) => functionType(params, results)),
    ),
    ...section(2, [
      ...imports.map((item, index) => [...text(item.module), ...text(item.name), 0, ...leb(index)]),
      ...rawImports,
    ]),
    ...section(
      3,
      functions.map((_, index) => leb(imports.length + index)),
    ),
    ...section(5, memory === null ? [] : [limits]),
    ...section(6, [[I32, 1, 0x41, ...sleb(module.heapBase ?? 1024), 0x0b]]),
    ...section(7, exports),
    ...(module.start === undefined ? [] : [8, ...leb(leb(module.start).length), ...leb(module.start)]),
    ...section(10, bodies),
    ...section(11, data),
  ])
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  if (items.length === 0) return []
  const content = [...leb(items.length), ...items.flat()]
  return [id, ...leb(content.length), ...content]
}
