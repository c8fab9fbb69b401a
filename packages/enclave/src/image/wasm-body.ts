// The bodies of functions (core specification, section 5.4): what makes them slow or large to compile is counted, which
// needs every instruction to be read. Types and indices of variables are for the engine to validate. Engines bring all
// locals and operands into their places wherever control meets, and handle one by one what calls and blocks take and give.
import { readInstruction } from './wasm-instructions.ts'
import { within } from './wasm-limits.ts'
import { invalidCode, type WasmReader } from './wasm-reader.ts'
import { type Arity, OperandStack } from './wasm-stack.ts'
import { isValueType, readValueType } from './wasm-types.ts'

/** By index, of one module. @throws {EnclaveError} invalid-code if there is none */
export interface Arities {
  readonly ofType: (index: number) => Arity
  readonly ofFunction: (index: number) => Arity
}

const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
} as const

/** An expression that gives a constant: of a global, or where a segment goes. Up to its end, which is read. */
export function readConstant(content: WasmReader): void {
  for (;;) {
    const opcode = content.byte()
    if (opcode === OP.end) return
    readInstruction(opcode, content)
  }
}

/** One body and its locals, all of it. @throws {EnclaveError} invalid-code, limit-exceeded */
export function readBody(content: WasmReader, type: Arity, arities: Arities): void {
  within('bodyBytes', content.left)
  const locals = within('locals', type.parameters + readLocals(content))
  new BodyReader(content, { locals, results: type.results }, arities).read()
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

class BodyReader {
  readonly #content: WasmReader
  readonly #arities: Arities
  readonly #locals: number
  readonly #results: number
  readonly #stack: OperandStack
  #loops = 0
  #merges = 0
  #passed = 0
  #bulk = 0

  constructor(content: WasmReader, own: { locals: number; results: number }, arities: Arities) {
    this.#content = content
    this.#arities = arities
    this.#locals = own.locals
    this.#results = own.results
    this.#stack = new OperandStack(own.results)
  }

  read(): void {
    while (this.#stack.depth > 0) {
      const opcode = this.#content.byte()
      const control = BodyReader.#CONTROL[opcode]
      if (control !== undefined) control(this)
      else this.#readPlain(opcode)
    }
  }

  /** One for all bodies: there may be a hundred thousand. */
  static readonly #CONTROL: Readonly<Record<number, (body: BodyReader) => void>> = {
    [OP.unreachable]: body => body.#stack.stop(),
    [OP.block]: body => body.#enter(false),
    [OP.loop]: body => body.#enter(true),
    [OP.if]: body => {
      body.#stack.apply(1, 0)
      body.#enter(false)
    },
    [OP.else]: body => body.#stack.otherwise(),
    [OP.end]: body => body.#stack.leave(),
    [OP.br]: body => {
      const carried = body.#branch()
      body.#stack.apply(carried, 0)
      body.#stack.stop()
    },
    [OP.brIf]: body => {
      body.#stack.apply(1, 0)
      const carried = body.#branch()
      body.#stack.apply(carried, carried)
    },
    [OP.brTable]: body => body.#branchByTable(),
    [OP.return]: body => {
      body.#pass(body.#results)
      body.#stack.apply(body.#results, 0)
      body.#stack.stop()
    },
    [OP.call]: body => body.#call(body.#arities.ofFunction(body.#content.u32())),
    [OP.callIndirect]: body => {
      body.#stack.apply(1, 0)
      body.#call(body.#arities.ofType(body.#content.u32()))
      body.#content.u32()
    },
  }

  #readPlain(opcode: number): void {
    const { takes, gives, isBulk } = readInstruction(opcode, this.#content)
    if (isBulk) this.#bulk = within('bulk', this.#bulk + 1)
    this.#stack.apply(takes, gives)
  }

  #enter(isLoop: boolean): void {
    const type = this.#readBlockType()
    if (isLoop) this.#loops = within('loops', this.#loops + 1)
    this.#merge()
    this.#pass(type.parameters + type.results)
    this.#stack.enter(type, isLoop)
  }

  #call({ parameters, results }: Arity): void {
    this.#pass(parameters + results)
    this.#stack.apply(parameters, results)
  }

  /** How many operands it takes along. */
  #branch(): number {
    this.#merge()
    const carried = this.#stack.carriedTo(this.#content.u32())
    this.#pass(carried)
    return carried
  }

  #branchByTable(): void {
    this.#stack.apply(1, 0)
    // One more is the default.
    let carried = 0
    for (let left = this.#content.u32() + 1; left > 0; left--) carried = this.#branch()
    this.#stack.apply(carried, 0)
    this.#stack.stop()
  }

  #merge(): void {
    this.#merges = within('merges', this.#merges + this.#locals + this.#stack.height)
  }

  #pass(values: number): void {
    this.#passed = within('passed', this.#passed + values)
  }

  /** Nothing, a value type, or an index: not the forms of more than one byte that begin where those of one byte end. */
  #readBlockType(): Arity {
    const first = this.#content.byte()
    if (first === 0x40) return { parameters: 0, results: 0 }
    if (isValueType(first)) return { parameters: 0, results: 1 }
    if (first > 0x40 && first < 0x80) {
      throw invalidCode(`a block is of type 0x${first.toString(16)}, which is not supported`)
    }
    let [last, index] = [first, first & 0x7f]
    for (let shift = 7; last >= 0x80 && shift < 35; shift += 7) {
      last = this.#content.byte()
      index += (last & 0x7f) * 2 ** shift
    }
    if (last >= 0x40) throw invalidCode('the type of a block is no index')
    return this.#arities.ofType(index)
  }
}
