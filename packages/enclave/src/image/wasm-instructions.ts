// The instructions that an enclave may have beside those of control (core specification, section 5.4): what follows the
// opcode, and how many operands each takes and gives. All others are refused: exceptions, threads, managed objects and
// tail calls, of which the engine's optimised code never asks whether it is to end.
import { invalidCode, type WasmReader } from './wasm-reader.ts'
import { readReferenceType, readValueType } from './wasm-types.ts'

/** The immediates after the opcode. */
type Immediates = (content: WasmReader) => void

interface Effect {
  readonly takes: number
  readonly gives: number
}

export interface Instruction extends Effect {
  readonly immediates: Immediates
  /** Goes through memory or a table, perhaps all of it. */
  readonly isBulk: boolean
}

type Row = readonly [opcode: number, instruction: Instruction]

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
const typedSelect: Immediates = content => {
  if (content.u32() !== 1) throw invalidCode('a select has other than one type')
  readValueType(content)
}

const NOTHING: Effect = { takes: 0, gives: 0 }
const GIVES: Effect = { takes: 0, gives: 1 }
const DROPS: Effect = { takes: 1, gives: 0 }
const STORES: Effect = { takes: 2, gives: 0 }
const BULK: Effect = { takes: 3, gives: 0 }
const UNARY: Effect = { takes: 1, gives: 1 }
const BINARY: Effect = { takes: 2, gives: 1 }
const TERNARY: Effect = { takes: 3, gives: 1 }

/** `from` to `to`, both included. */
function range([from, to]: readonly [number, number], effect: Effect, immediates = none): Row[] {
  const instruction = { ...effect, immediates, isBulk: false }
  return Array.from({ length: to - from + 1 }, (_, offset) => [from + offset, instruction])
}

function one(opcode: number, effect: Effect, immediates = none): Row[] {
  return range([opcode, opcode], effect, immediates)
}

function bulk(opcode: number, effect: Effect, immediates: Immediates): Row {
  return [opcode, { ...effect, immediates, isBulk: true }]
}

const PLAIN: ReadonlyMap<number, Instruction> = new Map([
  ...one(0x01, NOTHING),
  ...one(0x1a, DROPS),
  ...one(0x1b, TERNARY),
  ...one(0x1c, TERNARY, typedSelect),
  ...one(0x20, GIVES, index),
  ...one(0x21, DROPS, index),
  ...one(0x22, UNARY, index),
  ...one(0x23, GIVES, index),
  ...one(0x24, DROPS, index),
  ...one(0x25, UNARY, index),
  ...one(0x26, STORES, index),
  ...range([0x28, 0x35], UNARY, memoryArgument),
  ...range([0x36, 0x3e], STORES, memoryArgument),
  ...one(0x3f, GIVES, index),
  ...one(0x40, UNARY, index),
  ...one(0x41, GIVES, content => content.skipSigned(32)),
  ...one(0x42, GIVES, content => content.skipSigned(64)),
  ...one(0x43, GIVES, skip(4)),
  ...one(0x44, GIVES, skip(8)),
  // Numbers: tests for zero, comparisons, then for each type those of one operand and those of two, then conversions.
  ...one(0x45, UNARY),
  ...range([0x46, 0x4f], BINARY),
  ...one(0x50, UNARY),
  ...range([0x51, 0x66], BINARY),
  ...range([0x67, 0x69], UNARY),
  ...range([0x6a, 0x78], BINARY),
  ...range([0x79, 0x7b], UNARY),
  ...range([0x7c, 0x8a], BINARY),
  ...range([0x8b, 0x91], UNARY),
  ...range([0x92, 0x98], BINARY),
  ...range([0x99, 0x9f], UNARY),
  ...range([0xa0, 0xa6], BINARY),
  ...range([0xa7, 0xc4], UNARY),
  ...one(0xd0, GIVES, content => void readReferenceType(content)),
  ...one(0xd1, UNARY),
  ...one(0xd2, GIVES, index),
])

const NUMERIC: ReadonlyMap<number, Instruction> = new Map([
  ...range([0, 7], UNARY),
  bulk(8, BULK, twoIndices),
  bulk(9, NOTHING, index),
  bulk(10, BULK, twoIndices),
  bulk(11, BULK, index),
  bulk(12, BULK, twoIndices),
  bulk(13, NOTHING, index),
  bulk(14, BULK, twoIndices),
  bulk(15, BINARY, index),
  bulk(16, GIVES, index),
  bulk(17, BULK, index),
])

/** Those of one operand and of three, among many of two. */
const VECTOR_UNARY: readonly (readonly [number, number])[] = [
  [0x4d, 0x4d],
  [0x53, 0x53],
  [0x5e, 0x64],
  [0x67, 0x6a],
  [0x74, 0x75],
  [0x7a, 0x7a],
  [0x7c, 0x81],
  [0x83, 0x84],
  [0x87, 0x8a],
  [0x94, 0x94],
  [0xa0, 0xa1],
  [0xa3, 0xa4],
  [0xa7, 0xaa],
  [0xc0, 0xc1],
  [0xc3, 0xc4],
  [0xc7, 0xca],
  [0xe0, 0xe1],
  [0xe3, 0xe3],
  [0xec, 0xed],
  [0xef, 0xef],
  [0xf8, 0xff],
  [0x101, 0x104],
]
const VECTOR_TERNARY: readonly (readonly [number, number])[] = [
  [0x52, 0x52],
  [0x105, 0x10c],
  [0x113, 0x113],
]

const VECTOR: ReadonlyMap<number, Instruction> = new Map([
  ...range([0x00, 0x0a], UNARY, memoryArgument),
  ...one(0x0b, STORES, memoryArgument),
  ...one(0x0c, GIVES, skip(16)),
  ...one(0x0d, BINARY, skip(16)),
  ...one(0x0e, BINARY),
  ...range([0x0f, 0x14], UNARY),
  // Lanes are taken out, but for these, which put one in.
  ...range([0x15, 0x22], UNARY, skip(1)),
  ...[0x17, 0x1a, 0x1c, 0x1e, 0x20, 0x22].flatMap(opcode => one(opcode, BINARY, skip(1))),
  ...range([0x23, 0x53], BINARY),
  ...range([0x54, 0x57], BINARY, lane),
  ...range([0x58, 0x5b], STORES, lane),
  ...range([0x5c, 0x5d], UNARY, memoryArgument),
  ...range([0x5e, 0x113], BINARY),
  ...VECTOR_UNARY.flatMap(these => range(these, UNARY)),
  ...VECTOR_TERNARY.flatMap(these => range(these, TERNARY)),
])

const PREFIXED: ReadonlyMap<number, ReadonlyMap<number, Instruction>> = new Map([
  [0xfc, NUMERIC],
  [0xfd, VECTOR],
])

/** With all that follows the opcode. @throws {EnclaveError} invalid-code */
export function readInstruction(opcode: number, content: WasmReader): Instruction {
  const prefixed = PREFIXED.get(opcode)
  const further = prefixed === undefined ? opcode : content.u32()
  const instruction = (prefixed ?? PLAIN).get(further)
  if (instruction === undefined) {
    const name = [opcode, ...(prefixed === undefined ? [] : [further])].map(byte => `0x${byte.toString(16)}`)
    throw invalidCode(
      `the instruction ${name.join(' ')} is not supported`,
      'no exceptions, threads, managed objects or tail calls',
    )
  }
  instruction.immediates(content)
  return instruction
}
