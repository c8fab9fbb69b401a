// The reader of modules, against the engine: what the engine accepts is read as the engine reads it, or refused; and what
// is too much for an engine is refused before it sees it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EnclaveError } from '../../src/errors.ts'
import { readWasm } from '../../src/image/wasm.ts'
import { limitOf, type WasmLimit } from '../../src/image/wasm-limits.ts'
import { leb } from '../running/wasm-encoder.ts'
import { GOOD, goodWith, ID, MAKE, moduleOf, more, REFUSED, repeat, sectionsOf, withBody } from './hostile.ts'

/** Nothing where it is read. */
function refusalOf(code: Uint8Array): EnclaveError | null {
  try {
    readWasm(code)
    return null
  } catch (error) {
    assert.ok(error instanceof EnclaveError, String(error))
    return error
  }
}

test('a good module is read', () => {
  assert.ok(WebAssembly.validate(GOOD))
  const { imports, exports, memories, memoryExports, references } = readWasm(GOOD)
  assert.equal(imports.size, 0)
  assert.deepEqual([...exports.keys()], ['casemate_alloc', 'casemate_free', 'echo'])
  assert.deepEqual([memories, memoryExports, references], [[{ minPages: 1, maxPages: 4 }], ['memory'], 0])
})

for (const name of Object.keys(MAKE) as WasmLimit[]) {
  test(`so many ${name} as may be are read, one more is refused with a hint`, () => {
    const most = limitOf(name)
    // Bytes of bodies come by the million here.
    const fitting = MAKE[name](name === 'codeBytes' ? most - 2_000_000 : most)
    assert.equal(refusalOf(fitting), null)
    const refusal = refusalOf(MAKE[name](name === 'merges' ? most + 256 : most + 1))
    assert.equal(refusal?.code, 'limit-exceeded')
    assert.ok(refusal.hint !== undefined && refusal.expected?.includes(String(most)))
  })
}

for (const [name, code, module] of REFUSED) {
  test(`${name} is refused`, () => assert.equal(refusalOf(module)?.code, code))
}

test('a table as compilers make it, as large as its elements and no larger, is read', () => {
  const element = Uint8Array.of(1, 0, 0x41, 1, 0x0b, 3, 0, 1, 2)
  const module = goodWith({ [ID.table]: Uint8Array.of(1, 0x70, 1, 4, 4), [ID.element]: element })
  assert.ok(WebAssembly.validate(module))
  assert.equal(readWasm(module).references, 4 + 3)
})

test('every form of element and data segment is read to where the engine reads it', () => {
  const place = [0x41, 0, 0x0b]
  const expressions = [2, 0xd2, 0, 0x0b, 0xd0, 0x70, 0x0b]
  const elements = [
    [0, ...place, 2, 0, 1],
    [1, 0, 2, 0, 1],
    [2, 0, ...place, 0, 2, 0, 1],
    [3, 0, 2, 0, 1],
    [4, ...place, ...expressions],
    [5, 0x70, ...expressions],
    [6, 0, ...place, 0x70, ...expressions],
    [7, 0x70, ...expressions],
  ]
  const data = [
    [0, ...place, 1, 7],
    [1, 1, 7],
    [2, 0, ...place, 1, 7],
  ]
  const module = goodWith({
    [ID.table]: Uint8Array.of(1, 0x70, 1, 4, 4),
    [ID.element]: Uint8Array.from([elements.length, ...elements.flat()]),
    [ID.dataCount]: Uint8Array.of(data.length),
    [ID.data]: Uint8Array.from([data.length, ...data.flat()]),
  })
  assert.ok(WebAssembly.validate(module))
  assert.equal(readWasm(module).references, 4 + 2 * elements.length)
})

/** Exceptions of both kinds, tail calls, references with types, managed objects, atomic instructions: for these there is no enclave. */
const UNSUPPORTED = new Set([
  0x06, 0x07, 0x08, 0x09, 0x0a, 0x12, 0x13, 0x14, 0x15, 0x18, 0x19, 0x1f, 0xd3, 0xd4, 0xd5, 0xd6, 0xfb, 0xfe,
])

test('every instruction that the engine knows is read to where the engine reads it, or refused by name', () => {
  // `end` ends what stands around it, and is in every module.
  const plain = Array.from({ length: 256 }, (_, opcode) => [opcode]).filter(([opcode]) => opcode !== 0x0b)
  const numeric = Array.from({ length: 32 }, (_, opcode) => [0xfc, opcode])
  const vector = Array.from({ length: 0x130 }, (_, opcode) => [0xfd, ...leb(opcode)])
  let known = 0
  for (const opcode of [...plain, ...numeric, ...vector]) {
    const isAlone = WebAssembly.validate(wrapped(opcode))
    const shapes = (isAlone ? [[]] : immediatesToTry())
      // Null of a type of the module's own is a reference with a type.
      .filter(([first]) => opcode[0] !== 0xd0 || first === 0x70)
      .map(immediates => wrapped([...opcode, ...immediates]))
      .filter(module => WebAssembly.validate(module))
    for (const module of shapes) {
      const refusal = refusalOf(module)
      const isMeant = UNSUPPORTED.has(opcode[0]!)
      const named = `0x${opcode.map(byte => byte.toString(16)).join(' ')}: ${refusal?.message}`
      assert.equal(refusal?.code, isMeant ? 'invalid-code' : undefined, named)
    }
    if (shapes.length > 0) known++
  }
  // Of a version of the format that the engine has, so that this test sees something.
  assert.ok(known > 400, String(known))
})

/** Of each thing there are seven, and 6 begins no instruction that is read: an immediate that is left over shows. */
const LAST = 6
/** Of nothing there are 26. */
const DROP = 0x1a
const UNREACHABLE = 0x00

/** Every number that an instruction can have, types of blocks and references, and the end of blocks. */
function immediatesToTry(): number[][] {
  const choices = [[0], [LAST]]
  const pairs = choices.flatMap(first => choices.map(second => [...first, ...second]))
  const triples = pairs.flatMap(pair => choices.map(third => [...pair, ...third]))
  const runs = [4, 8, 16].map(length => Array.from({ length }, () => LAST))
  const rest = [[0x40, 0x0b], [LAST, 0x0b], [0x70], [1, 0x7f], [0, 1], [0, 0, 1], [2, 6, 6, 6]]
  return [[], ...choices, ...pairs, ...triples, ...runs, ...rest]
}

test('what the reader counts on the stack is what the engine has there, for every instruction', () => {
  const plain = Array.from({ length: 256 }, (_, opcode) => [opcode])
  const numeric = Array.from({ length: 32 }, (_, opcode) => [0xfc, opcode])
  const vector = Array.from({ length: 0x120 }, (_, opcode) => [0xfd, ...leb(opcode)])
  let known = 0
  for (const opcode of [...plain, ...numeric, ...vector]) {
    const module = firstValid(opcode)
    if (module === null || UNSUPPORTED.has(opcode[0]!)) continue
    known++
    assert.equal(refusalOf(module), null, opcode.map(byte => byte.toString(16)).join(' '))
  }
  assert.ok(known > 400, String(known))
})

const [I32, V128, FUNCREF] = [0x7f, 0x7b, 0x70]
const OPERAND_TYPES = [I32, 0x7e, 0x7d, 0x7c, V128, FUNCREF]
/** The operands of some instruction. */
const OPERANDS = [
  [],
  ...OPERAND_TYPES.map(type => [type]),
  ...OPERAND_TYPES.map(type => [type, type]),
  ...OPERAND_TYPES.flatMap(type => [
    [I32, type],
    [V128, type],
  ]),
  [FUNCREF, I32],
  ...OPERAND_TYPES.map(type => [type, type, I32]),
  [V128, V128, V128],
  [I32, FUNCREF, I32],
]

/** With what the instruction takes, and nothing left of what it gives; null if it is none. */
function firstValid(opcode: readonly number[]): Uint8Array<ArrayBuffer> | null {
  const zeros = [0, 1, 2, 3, 16].map(length => Array.from({ length }, () => 0))
  for (const immediates of [...zeros, [FUNCREF], [1, I32], [0x40, 0x0b]]) {
    // Null of a type of the module's own is a reference with a type.
    if (opcode[0] === 0xd0 && immediates[0] !== FUNCREF) continue
    if (validOf([UNREACHABLE, ...opcode, ...immediates]) === undefined) continue
    for (const operands of OPERANDS) {
      const gets = operands.flatMap(type => [0x20, OPERAND_TYPES.indexOf(type)])
      const module = validOf([...gets, ...opcode, ...immediates])
      if (module !== undefined) return module
    }
  }
  return null
}

/** With a drop where it leaves something. */
function validOf(instructions: readonly number[]): Uint8Array<ArrayBuffer> | undefined {
  const endings = [instructions, [...instructions, DROP]]
  return endings.map(withLocals).find(module => WebAssembly.validate(module))
}

/** A function with a local of each type, in a module that has one thing of each kind. */
function withLocals(instructions: readonly number[]): Uint8Array<ArrayBuffer> {
  const locals = [OPERAND_TYPES.length, ...OPERAND_TYPES.flatMap(type => [1, type])]
  const sections = sectionsOf(withBody(locals, instructions))
  sections.set(ID.table, Uint8Array.of(1, FUNCREF, 1, 1, 1))
  sections.set(ID.element, Uint8Array.of(1, 1, 0, 0))
  sections.set(ID.dataCount, Uint8Array.of(1))
  sections.set(ID.data, Uint8Array.of(1, 1, 0))
  return moduleOf(sections)
}

/** Within blocks and behind `unreachable`, where the stack holds whatever is wanted. */
function wrapped(instruction: readonly number[]): Uint8Array<ArrayBuffer> {
  const blocks = repeat([0x02, 0x40], LAST)
  const ends = repeat([0x0b], LAST)
  const sections = sectionsOf(withBody([1, 8, 0x7f], blocks, [0x00, ...instruction, DROP], ends))
  const own = sections.get(ID.code)!
  sections.set(ID.type, more(ID.type, LAST, [0x60, 0, 0]))
  sections.set(ID.function, more(ID.function, LAST, [3]))
  sections.set(
    ID.code,
    Buffer.concat([Uint8Array.of(own[0]! + LAST - 1), own.subarray(1), repeat([2, 0, 0x0b], LAST - 1)]),
  )
  sections.set(ID.global, more(ID.global, LAST, [0x7f, 1, 0x41, 0, 0x0b]))
  sections.set(ID.table, more(ID.table, LAST + 1, [0x70, 1, 1, 1]))
  sections.set(ID.element, more(ID.element, LAST + 1, [1, 0, 1, 0]))
  sections.set(ID.dataCount, Uint8Array.of(LAST + 1))
  sections.set(ID.data, more(ID.data, LAST + 1, [1, 0]))
  return moduleOf(sections)
}
