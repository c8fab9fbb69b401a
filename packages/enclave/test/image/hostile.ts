// Modules that want too much of an engine: a good one, of which a section is replaced by one that is larger, deeper or
// slower than an enclave may have. Each names what it has too much of, and how much more is one too many.
import { limitOf, type WasmLimit } from '../../src/image/wasm-limits.ts'
import { ALLOC, FREE, FUNCTIONS } from '../running/modules.ts'
import { encodeModule, functionType, I32, leb, text } from '../running/wasm-encoder.ts'

export const ID = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const

const ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11, 0]
const END = 0x0b
const FUNCREF = 0x70
const UNREACHABLE = 0x00
const DROP = 0x1a

export type Sections = ReadonlyMap<number, Uint8Array>

/** alloc, free and echo, and nothing else. */
export const GOOD: Uint8Array<ArrayBuffer> = encodeModule({ functions: [ALLOC, FREE, FUNCTIONS['echo']!] })
const OWN_FUNCTIONS = 3
/** A type without parameters and results, and one of so many of each. */
const NO_VALUES = functionType([], [])
const typeOf = (parameters: number, results: number): number[] =>
  functionType([...repeat([I32], parameters)], [...repeat([I32], results)])
/** Behind that of the function of `withBody`. */
const OTHER_TYPE = OWN_FUNCTIONS + 1

/** Contents by id. */
export function sectionsOf(code: Uint8Array): Map<number, Uint8Array> {
  const sections = new Map<number, Uint8Array>()
  let at = 8
  while (at < code.length) {
    const id = code[at++]!
    const { value: size, next } = readLeb(code, at)
    sections.set(id, code.subarray(next, next + size))
    at = next + size
  }
  return sections
}

export function moduleOf(sections: Sections): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [GOOD.subarray(0, 8)]
  for (const id of ORDER) {
    const content = sections.get(id)
    if (content !== undefined) parts.push(Uint8Array.of(id, ...leb(content.length)), content)
  }
  return new Uint8Array(Buffer.concat(parts))
}

/** The good module with other sections in place of its own. */
export function goodWith(sections: Readonly<Record<number, Uint8Array>>): Uint8Array<ArrayBuffer> {
  const changed = Object.entries(sections).map(([id, content]) => [Number(id), content] as const)
  return moduleOf(new Map([...sectionsOf(GOOD), ...changed]))
}

/** So many items, all alike, and before them those that the section of the good module has. */
export function more(id: number, count: number, item: readonly number[]): Uint8Array {
  const own = sectionsOf(GOOD).get(id)
  const { value, next } = own === undefined ? { value: 0, next: 0 } : readLeb(own, 0)
  return Buffer.concat([
    Uint8Array.from(leb(value + count)),
    own?.subarray(next) ?? new Uint8Array(),
    repeat(item, count),
  ])
}

export function repeat(item: readonly number[], count: number): Uint8Array {
  return Buffer.alloc(item.length * count, Uint8Array.from(item))
}

/** The good module and one more function without parameters: locals and instructions, to which the end is added. */
export function withBody(...parts: readonly (readonly number[] | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const body = Buffer.concat([...parts.map(part => Uint8Array.from(part)), Uint8Array.of(END)])
  const own = sectionsOf(GOOD)
  const code = own.get(ID.code)!
  return goodWith({
    [ID.type]: more(ID.type, 1, NO_VALUES),
    [ID.function]: more(ID.function, 1, [OWN_FUNCTIONS]),
    [ID.code]: Buffer.concat([
      Uint8Array.of(OWN_FUNCTIONS + 1),
      code.subarray(1),
      Uint8Array.from(leb(body.length)),
      body,
    ]),
  })
}

function withFunctions(count: number): Uint8Array<ArrayBuffer> {
  return goodWith({
    [ID.type]: more(ID.type, 1, NO_VALUES),
    [ID.function]: more(ID.function, count, [OWN_FUNCTIONS]),
    [ID.code]: more(ID.code, count, [2, 0, END]),
  })
}

/** Bodies of one megabyte less a little, of nothing but nops. */
function withCode(bytes: number): Uint8Array<ArrayBuffer> {
  const size = 1_000_000
  const body = Buffer.concat([
    Uint8Array.from([...leb(size), 0]),
    repeat([0x01], size - 2),
    Uint8Array.of(END),
  ])
  const count = Math.ceil(bytes / body.length)
  const own = sectionsOf(GOOD).get(ID.code)!
  return goodWith({
    [ID.type]: more(ID.type, 1, NO_VALUES),
    [ID.function]: more(ID.function, count, [OWN_FUNCTIONS]),
    [ID.code]: Buffer.concat([
      Uint8Array.of(OWN_FUNCTIONS + count),
      own.subarray(1),
      ...Array.from({ length: count }, () => body),
    ]),
  })
}

const table = (min: number, max: number): number[] => [FUNCREF, 1, ...leb(min), ...leb(max)]
const locals = (count: number): number[] => [1, ...leb(count), I32]
const oneTable = Uint8Array.from([1, ...table(1, 1)])
/** A module with so many of it. */
export const MAKE: Readonly<Record<WasmLimit, (count: number) => Uint8Array<ArrayBuffer>>> = {
  types: count => goodWith({ [ID.type]: more(ID.type, count - OWN_FUNCTIONS, NO_VALUES) }),
  typeValues: count => {
    // The good module's own types have seven.
    const rest = count - 7
    const [type, last] = [typeOf(100, 0), typeOf(rest % 100, 0)]
    const own = sectionsOf(GOOD).get(ID.type)!
    const many = Math.floor(rest / 100)
    return goodWith({
      [ID.type]: Buffer.concat([
        Uint8Array.from(leb(OWN_FUNCTIONS + many + 1)),
        own.subarray(1),
        repeat(type, many),
        Uint8Array.from(last),
      ]),
    })
  },
  imports: count =>
    moduleOf(
      new Map([
        [ID.type, Uint8Array.of(1, ...NO_VALUES)],
        [ID.import, more(ID.import, count, [...text('casemate'), ...text('log'), 0, 0])],
      ]),
    ),
  functions: count => withFunctions(count - OWN_FUNCTIONS),
  tables: count => goodWith({ [ID.table]: more(ID.table, count, table(0, 0)) }),
  memories: count => goodWith({ [ID.memory]: more(ID.memory, count - 1, [1, 1, 4]) }),
  globals: count => goodWith({ [ID.global]: more(ID.global, count - 1, [I32, 0, 0x41, 0, END]) }),
  exports: count => {
    const names = Array.from({ length: count - 4 }, (_, index) => [...text(`g${index}`), 3, 0]).flat()
    const own = sectionsOf(GOOD).get(ID.export)!
    return goodWith({
      [ID.export]: Buffer.concat([Uint8Array.from(leb(count)), own.subarray(1), Uint8Array.from(names)]),
    })
  },
  elementSegments: count => goodWith({ [ID.element]: more(ID.element, count, [1, 0, 0]) }),
  references: count => goodWith({ [ID.table]: Uint8Array.from([1, ...table(0, count)]) }),
  dataSegments: count => goodWith({ [ID.data]: more(ID.data, count, [1, 0]) }),
  codeBytes: count => withCode(count),
  customBytes: count => moduleOf(new Map([...sectionsOf(GOOD), [ID.custom, repeat([0], count)]])),
  customSections: count => {
    const sections = repeat([0, 2, 1, 0x78], count)
    return new Uint8Array(Buffer.concat([GOOD, sections]))
  },
  bodyBytes: count => withBody([0], repeat([0x01], count - 2)),
  locals: count => withBody(locals(count)),
  loops: count => withBody([0], repeat([0x03, 0x40, END], count)),
  operands: count => withBody([0], repeat([0x41, 0], count), repeat([DROP], count)),
  passed: count => passing(count, 1000),
  depth: count => withBody([0], repeat([0x02, 0x40], count - 1), repeat([END], count - 1)),
  bulk: count => withBody([0], repeat([0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0], count)),
  merges: count => withBody(locals(256), repeat([0x0c, 0], Math.floor(count / 256))),
}

/** Faults that stand in no table of limits: each is refused with this code. */
export const REFUSED: readonly (readonly [name: string, code: string, module: Uint8Array<ArrayBuffer>])[] = [
  ['a table without a maximum', 'limit-exceeded', goodWith({ [ID.table]: Uint8Array.of(1, FUNCREF, 0, 1) })],
  [
    'ten million elements at once',
    'limit-exceeded',
    goodWith({ [ID.table]: Uint8Array.from([1, ...table(10_000_000, 10_000_000)]) }),
  ],
  [
    'sixteen tables that are too large together',
    'limit-exceeded',
    goodWith({ [ID.table]: more(ID.table, 16, table(0, limitOf('references') / 16 + 1)) }),
  ],
  [
    'a segment of more elements than any table',
    'limit-exceeded',
    goodWith({
      [ID.table]: oneTable,
      [ID.element]: Buffer.concat([
        Uint8Array.from([1, 1, 0, ...leb(limitOf('references'))]),
        repeat([0], limitOf('references')),
      ]),
    }),
  ],
  [
    'a table of 64-bit addresses',
    'invalid-code',
    goodWith({ [ID.table]: Uint8Array.of(1, FUNCREF, 5, 1, 1) }),
  ],
  [
    'a table of its own initial value',
    'invalid-code',
    goodWith({ [ID.table]: Uint8Array.of(1, 0x40, 0, FUNCREF, 1, 1, 1, 0xd0, FUNCREF, END) }),
  ],
  [
    'a table of a type that is managed',
    'invalid-code',
    goodWith({ [ID.table]: Uint8Array.of(1, 0x6e, 1, 1, 1) }),
  ],
  ['a memory of 64-bit addresses', 'invalid-code', goodWith({ [ID.memory]: Uint8Array.of(1, 5, 1, 4) })],
  [
    'exceptions',
    'invalid-code',
    goodWith({ [ID.type]: more(ID.type, 1, NO_VALUES), [ID.tag]: Uint8Array.of(1, 0, OWN_FUNCTIONS) }),
  ],
  ['a block of exceptions', 'invalid-code', withBody([0], [0x1f, 0x40, 0, END])],
  ['an instruction that names its memory', 'invalid-code', withBody([0], [0x41, 0, 0x28, 0x42, 0, 0, 0x1a])],
  // Neither would ever be ended once it runs.
  ['a tail call', 'invalid-code', withBody([0], [0x12, OWN_FUNCTIONS])],
  ['a tail call by a table', 'invalid-code', tailCallByTable()],
  ['an atomic instruction', 'invalid-code', withBody([0], [0xfe, 0x03, 0x00])],
  ['a managed object', 'invalid-code', withBody([0], [0xfb, 0x01, 0])],
  ['a type of a structure', 'invalid-code', goodWith({ [ID.type]: more(ID.type, 1, [0x5f, 0]) })],
  [
    'a block of a type of two bytes',
    'invalid-code',
    withBody([0], [0x02, 0x63, FUNCREF, 0xd0, FUNCREF, END, 0x1a]),
  ],
  ['a local of a type of two bytes', 'invalid-code', withBody([1, 1, 0x63, FUNCREF])],
  ['a type of a block that is negative', 'invalid-code', withBody([0], [0x02, 0xc0, 0x7f, END])],
  ['a section of unknown number', 'invalid-code', new Uint8Array([...GOOD, 15, 1, 0])],
  ['a section that stands twice', 'invalid-code', new Uint8Array([...GOOD, ID.data, 1, 0, ID.data, 1, 0])],
  ['a section out of order', 'invalid-code', new Uint8Array([...GOOD, ID.table, 1, 0])],
  ['a section longer than its items', 'invalid-code', goodWith({ [ID.table]: Uint8Array.of(0, 0) })],
  ['a section that ends early', 'invalid-code', GOOD.slice(0, -2)],
  [
    'a count of four billion items',
    'limit-exceeded',
    goodWith({ [ID.global]: Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f) }),
  ],
  [
    'a number of more than 32 bits',
    'invalid-code',
    goodWith({ [ID.global]: Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x7f) }),
  ],
  ['a body that goes on after its end', 'invalid-code', withBody([0], [END, 0x01])],
  ['a body that has no end', 'invalid-code', withBody([0], [0x02, 0x40])],
  ['more functions than bodies', 'invalid-code', goodWith({ [ID.function]: more(ID.function, 1, [0]) })],
  ['another version of the format', 'invalid-code', GOOD.with(4, 2)],
  [
    'a name that is longer than a name',
    'limit-exceeded',
    goodWith({ [ID.export]: more(ID.export, 1, [...text('n'.repeat(2000)), 3, 0]) }),
  ],
  [
    'locals that are too many in groups that are not',
    'limit-exceeded',
    withBody([3, ...leb(4000), I32, ...leb(4000), I32, ...leb(4000), I32]),
  ],
  [
    'blocks with many parameters each, in a function without locals',
    'limit-exceeded',
    passing(6_000_000, 100),
  ],
  [
    'blocks above many operands, in a function without locals',
    'limit-exceeded',
    withBody([0], repeat([0x41, 0], 5000), repeat([0x02, 0x40, END], 100_000), repeat([DROP], 5000)),
  ],
  ['more operands than may be, all of one call', 'limit-exceeded', operandsOfCalls(1000, 20)],
  ['calls of many parameters each', 'limit-exceeded', callsOf(1000, 200)],
  ['branches that take much along', 'limit-exceeded', branchesOf(1000, 300)],
  ['returns that take much along', 'limit-exceeded', returnsOf(1000, 300)],
  [
    'an instruction that takes what lies outside its block',
    'invalid-code',
    withBody([0], [0x41, 0, 0x02, 0x40, DROP, END, DROP]),
  ],
  ['a block that leaves more than it says', 'invalid-code', withBody([0], [0x02, 0x40, 0x41, 0, END])],
  ['a branch that leads out of the function', 'invalid-code', withBody([0], [0x0c, 1])],
  [
    'a jump table to everywhere with locals at each place',
    'limit-exceeded',
    withBody(locals(1000), [0x41, 0, 0x0e, ...leb(20_000)], repeat([0], 20_001)),
  ],
]

/** The module of `withBody` and one more type, whose index is {@link OTHER_TYPE}. */
function withType(
  parameters: number,
  results: number,
  ...body: readonly (readonly number[] | Uint8Array)[]
): Uint8Array<ArrayBuffer> {
  const sections = sectionsOf(withBody([0], ...body))
  const own = sections.get(ID.type)!
  sections.set(
    ID.type,
    Buffer.concat([
      Uint8Array.of(own[0]! + 1),
      own.subarray(1),
      Uint8Array.from(typeOf(parameters, results)),
    ]),
  )
  sections.set(ID.table, oneTable)
  return moduleOf(sections)
}

/** Blocks of so many parameters each, behind `unreachable`, where the stack holds whatever is wanted, and one-value blocks for the rest. */
function passing(count: number, parameters: number): Uint8Array<ArrayBuffer> {
  const block = [0x02, OTHER_TYPE, UNREACHABLE, END]
  const rest = repeat([0x02, I32, UNREACHABLE, END, DROP], count % parameters)
  return withType(parameters, 0, [UNREACHABLE], repeat(block, Math.floor(count / parameters)), rest)
}

/** Calls by a table, which so many operands come back from each. */
function operandsOfCalls(results: number, count: number): Uint8Array<ArrayBuffer> {
  const call = [0x41, 0, 0x11, OTHER_TYPE, 0]
  return withType(0, results, repeat(call, count), repeat([DROP], results * count))
}

function callsOf(parameters: number, count: number): Uint8Array<ArrayBuffer> {
  return withType(
    parameters,
    parameters,
    repeat([0x41, 0], parameters),
    repeat([0x41, 0, 0x11, OTHER_TYPE, 0], count),
    repeat([DROP], parameters),
  )
}

function branchesOf(results: number, count: number): Uint8Array<ArrayBuffer> {
  const operands = repeat([0x41, 0], results)
  const branches = repeat([0x41, 0, 0x0d, 0], count)
  return withType(0, results, [0x02, OTHER_TYPE], operands, branches, [END], repeat([DROP], results))
}

/** From a function of so many results, behind `unreachable`. */
function returnsOf(results: number, count: number): Uint8Array<ArrayBuffer> {
  const sections = sectionsOf(withBody([0], [UNREACHABLE], repeat([0x0f], count)))
  const own = sectionsOf(GOOD).get(ID.type)!
  sections.set(
    ID.type,
    Buffer.concat([Uint8Array.of(own[0]! + 1), own.subarray(1), Uint8Array.from(typeOf(0, results))]),
  )
  return moduleOf(sections)
}

function tailCallByTable(): Uint8Array<ArrayBuffer> {
  const sections = sectionsOf(withBody([0], [0x41, 0, 0x13, OWN_FUNCTIONS, 0]))
  return moduleOf(new Map([...sections, [ID.table, oneTable]]))
}

function readLeb(bytes: Uint8Array, from: number): { value: number; next: number } {
  let value = 0
  for (let at = from, shift = 0; ; at++, shift += 7) {
    value += (bytes[at]! & 0x7f) * 2 ** shift
    if (bytes[at]! < 0x80) return { value, next: at + 1 }
  }
}
