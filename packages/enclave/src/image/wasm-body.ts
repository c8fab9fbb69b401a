// The bodies of functions (core specification, section 5.4): what makes them slow or large to compile is counted, which
// needs every instruction to be read. Types and indices are for the engine to validate; instructions that no enclave
// needs (exceptions, threads, garbage collection) are refused, and tail calls: the engine's optimised code for functions that
// call one another in no other way never asks whether it is to end, so that no limit of time could end them.
import { within } from './wasm-limits.ts'
import { invalidCode, type WasmReader } from './wasm-reader.ts'
import { isValueType, readReferenceType, readValueType } from './wasm-types.ts'

/** What follows the opcode. */
type Immediates = (content: WasmReader) => void

const none: Immediates = () => undefined
const index: Immediates = content => void content.u32()
const twoIndices: Immediates = content => {
  content.u32()
  content.u32()
}
const skip = (size: number): Immediates => {
  return content => content.skip(size)
}
/** Alignment and offset. A larger alignment would say that a memory is named. */
const memoryArgument: Immediates = content => {
  if (content.u32() >= 64) throw invalidCode('an instruction names a memory', 'the only memory')
  content.u32()
}
const lane: Immediates = content => {
  memoryArgument(content)
  content.byte()
}
/** Nothing, a value type, or an index: not the forms of more than one byte that begin where those of one byte end. */
const blockType: Immediates = content => {
  const first = content.byte()
  if (first <= 0x40 || isValueType(first)) return
  if (first < 0x80) throw invalidCode(`a block is of type 0x${first.toString(16)}, which is not supported`)
  let last = first
  for (let left = 4; last >= 0x80 && left > 0; left--) last = content.byte()
  if (last >= 0x40) throw invalidCode('the type of a block is no index')
}
const typedSelect: Immediates = content => {
  if (content.u32() !== 1) throw invalidCode('a select has other than one type')
  readValueType(content)
}
const OP = { block: 0x02, loop: 0x03, if: 0x04, end: 0x0b, br: 0x0c, brIf: 0x0d, brTable: 0x0e } as const
const PREFIX = { numeric: 0xfc, vector: 0xfd } as const

/** `from` to `to`, both included. */
function range(from: number, to: number, immediates: Immediates): [number, Immediates][] {
  return Array.from({ length: to - from + 1 }, (_, offset) => [from + offset, immediates])
}

const PLAIN: ReadonlyMap<number, Immediates> = new Map([
  ...range(0x00, 0x01, none),
  ...range(OP.block, OP.if, blockType),
  [0x05, none],
  [OP.end, none],
  ...range(OP.br, OP.brIf, index),
  [0x0f, none],
  [0x10, index],
  [0x11, twoIndices],
  ...range(0x1a, 0x1b, none),
  [0x1c, typedSelect],
  ...range(0x20, 0x26, index),
  ...range(0x28, 0x3e, memoryArgument),
  ...range(0x3f, 0x40, index),
  [0x41, content => content.skipSigned(32)],
  [0x42, content => content.skipSigned(64)],
  [0x43, skip(4)],
  [0x44, skip(8)],
  ...range(0x45, 0xc4, none),
  [0xd0, content => void readReferenceType(content)],
  [0xd1, none],
  [0xd2, index],
])

/** Of the numeric ones: from here on they are of memories and tables, and can go through all of one. */
const FIRST_BULK = 8
const NUMERIC: ReadonlyMap<number, Immediates> = new Map([
  ...range(0, 7, none),
  [FIRST_BULK, twoIndices],
  [9, index],
  [10, twoIndices],
  [11, index],
  [12, twoIndices],
  [13, index],
  [14, twoIndices],
  ...range(15, 17, index),
])

const VECTOR: ReadonlyMap<number, Immediates> = new Map([
  ...range(0x00, 0x0b, memoryArgument),
  ...range(0x0c, 0x0d, skip(16)),
  ...range(0x0e, 0x14, none),
  ...range(0x15, 0x22, skip(1)),
  ...range(0x23, 0x53, none),
  ...range(0x54, 0x5b, lane),
  ...range(0x5c, 0x5d, memoryArgument),
  ...range(0x5e, 0xff, none),
  ...range(0x100, 0x113, none),
])

/** An expression that gives a constant: of a global, or where a segment goes. Up to its end, which is read. */
export function readConstant(content: WasmReader): void {
  for (;;) {
    const opcode = content.byte()
    if (opcode === OP.end) return
    if (isNesting(opcode)) throw invalidCode('a constant is computed with blocks')
    readImmediates(opcode, content)
  }
}

/** One body and its locals, all of it. @throws {EnclaveError} invalid-code, limit-exceeded */
export function readBody(content: WasmReader, parameters: number): void {
  within('bodyBytes', content.left)
  const locals = within('locals', parameters + readLocals(content))
  let depth = 1
  let merges = 0
  let bulk = 0
  while (depth > 0) {
    const opcode = content.byte()
    if (opcode === OP.end) depth--
    else if (isNesting(opcode)) depth = within('depth', depth + 1)
    const places = isNesting(opcode) || isBranch(opcode) ? 1 : 0
    merges += (opcode === OP.brTable ? readBranchTable(content) : places) * locals
    if (opcode !== OP.brTable && readImmediates(opcode, content)) bulk = within('bulk', bulk + 1)
  }
  within('merges', merges)
  if (!content.isAtEnd) throw invalidCode('a function goes on after its end')
}

function readLocals(content: WasmReader): number {
  let count = 0
  for (let groups = content.u32(); groups > 0; groups--) {
    count = within('locals', count + content.u32())
    readValueType(content)
  }
  return count
}

function readBranchTable(content: WasmReader): number {
  // One more is the default.
  const places = content.u32() + 1
  for (let left = places; left > 0; left--) content.u32()
  return places
}

/** Whether the instruction is one of {@link FIRST_BULK} and on. */
function readImmediates(opcode: number, content: WasmReader): boolean {
  const isPrefix = opcode === PREFIX.numeric || opcode === PREFIX.vector
  const further = isPrefix ? content.u32() : opcode
  const table = opcode === PREFIX.numeric ? NUMERIC : opcode === PREFIX.vector ? VECTOR : PLAIN
  const immediates = table.get(further)
  if (immediates === undefined) {
    const name = isPrefix ? `0x${opcode.toString(16)} 0x${further.toString(16)}` : `0x${opcode.toString(16)}`
    throw invalidCode(
      `the instruction ${name} is not supported`,
      'no exceptions, threads, managed objects or tail calls',
    )
  }
  immediates(content)
  return opcode === PREFIX.numeric && further >= FIRST_BULK
}

function isNesting(opcode: number): boolean {
  return opcode >= OP.block && opcode <= OP.if
}

function isBranch(opcode: number): boolean {
  return opcode === OP.br || opcode === OP.brIf
}
