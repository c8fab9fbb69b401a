// How much of each thing a module may have. The engine allocates all of it beside linear memory, some of it in tables of
// the whole process that are never freed, and much of it where running out ends the process instead of a thread. Each
// number is several times what clang, rustc and asc make of large programs, and small against a machine.
import { EnclaveError } from '../errors.ts'

interface Limit {
  readonly most: number
  readonly what: string
  readonly hint: string
}

const GENERATED = 'code that is generated in such numbers has to become data or loops'
const SPLIT = 'split the function'

const LIMITS = {
  /** Kept by the engine for as long as the process lives. */
  types: { most: 10_000, what: 'types', hint: GENERATED },
  typeValues: { most: 100_000, what: 'parameters and results of types', hint: 'pass structures by pointer' },
  imports: { most: 1000, what: 'imports', hint: 'ABI.md lists what there is to import' },
  functions: { most: 100_000, what: 'functions', hint: GENERATED },
  tables: { most: 16, what: 'tables', hint: 'one table of functions is all that compilers need' },
  memories: { most: 1, what: 'memories', hint: 'build without multi-memory' },
  globals: { most: 10_000, what: 'globals', hint: 'keep variables in memory' },
  exports: { most: 1000, what: 'exports', hint: 'export only what is called' },
  elementSegments: { most: 10_000, what: 'element segments', hint: 'join them' },
  /** Of all tables, and of all element segments: in the heap of the instance's thread, which has 64 MiB. */
  references: {
    most: 200_000,
    what: 'references in tables and element segments',
    hint: 'give each table the maximum that it needs, which is its minimum where nothing is added',
  },
  dataSegments: { most: 100_000, what: 'data segments', hint: 'join them' },
  codeBytes: {
    most: 16_777_216,
    what: 'bytes of function bodies',
    hint: 'optimise for size, and keep data in data segments',
  },
  /** Names are read in full at the first trap. */
  customBytes: {
    most: 8_388_608,
    what: 'bytes of custom sections',
    hint: 'strip it: -Wl,--strip-debug or --strip-all of wasm-ld, -C strip=symbols of rustc',
  },
  customSections: { most: 1000, what: 'custom sections', hint: 'strip the module' },
  bodyBytes: { most: 1_048_576, what: 'bytes in one function', hint: SPLIT },
  locals: { most: 10_000, what: 'locals and parameters of one function', hint: `${SPLIT}, or optimise` },
  depth: { most: 1000, what: 'levels of nested blocks', hint: SPLIT },
  /** The optimising compiler's work for those that never repeat grows with the square of their number. */
  loops: { most: 1000, what: 'loops in one function', hint: SPLIT },
  operands: { most: 10_000, what: 'operands on the stack of one function', hint: 'keep values in memory' },
  /** Engines keep a value, or a choice of values, for each. */
  passed: {
    most: 262_144,
    what: 'parameters and results of blocks, branches and calls of one function',
    hint: `${SPLIT}, or pass structures by pointer`,
  },
  /** Each can take as long as filling all memory, and between them a thread cannot be ended. */
  bulk: { most: 1000, what: 'instructions of one function that copy or fill', hint: SPLIT },
  /** Compilers bring every local and every operand into its place at each of them. */
  merges: {
    most: 16_777_216,
    what: 'locals and operands, counted at each block and branch of one function',
    hint: `${SPLIT}, or optimise: fewer locals, fewer branches, shorter expressions`,
  },
} as const satisfies Readonly<Record<string, Limit>>

export type WasmLimit = keyof typeof LIMITS

/** For tests, which go to each limit and one beyond. */
export function limitOf(name: WasmLimit): number {
  return LIMITS[name].most
}

/** The count itself. @throws {EnclaveError} limit-exceeded */
export function within(name: WasmLimit, count: number): number {
  const { most, what, hint } = LIMITS[name]
  if (count <= most) return count
  throw new EnclaveError('limit-exceeded', `the code has ${count} ${what}, want at most ${most}`, {
    expected: `at most ${most} ${what}`,
    got: String(count),
    hint,
  })
}

/** In bytes, generously: an entry in the table, one in the table of calls, and both once more while the table grows. */
const REFERENCE_SIZE = 64

/** Memory that references take in each instance, in bytes. */
export function sizeOfReferences(count: number): number {
  return count * REFERENCE_SIZE
}
