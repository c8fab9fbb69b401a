// How many operands are on the stack at each place of a function, as validation counts them (core specification, appendix
// "Validation Algorithm"): engines keep each of them in its place where control meets. Types are for the engine to check;
// counts that do not agree are refused here, so that a wrong count of ours is a refusal and never too small a number.
import { within } from './wasm-limits.ts'
import { invalidCode } from './wasm-reader.ts'

/** Of a function or a block. */
export interface Arity {
  readonly parameters: number
  readonly results: number
}

interface Frame extends Arity {
  readonly base: number
  /** Values that a branch to it takes along. */
  readonly carried: number
  /** False behind what never goes on: there the stack holds whatever is wanted. */
  isReached: boolean
}

export class OperandStack {
  #height = 0
  readonly #frames: Frame[]

  /** Of a function with so many results. */
  constructor(results: number) {
    this.#frames = [{ parameters: 0, results, carried: results, base: 0, isReached: true }]
  }

  get height(): number {
    return this.#height
  }

  /** The function and the blocks that are open. */
  get depth(): number {
    return this.#frames.length
  }

  enter(type: Arity, isLoop: boolean): void {
    this.apply(type.parameters, 0)
    const { parameters, results } = type
    const carried = isLoop ? parameters : results
    this.#frames.push({ parameters, results, carried, base: this.#height, isReached: true })
    within('depth', this.depth)
    this.apply(0, parameters)
  }

  /** From one branch of an `if` to the other. */
  otherwise(): void {
    const frame = this.#settle()
    frame.isReached = true
    this.#height = frame.base + frame.parameters
  }

  leave(): void {
    const { base, results } = this.#settle()
    this.#frames.pop()
    this.#height = base + results
  }

  /** All that follows is never reached. */
  stop(): void {
    const frame = this.#top()
    frame.isReached = false
    this.#height = frame.base
  }

  apply(takes: number, gives: number): void {
    const { base, isReached } = this.#top()
    const left = this.#height - takes
    if (left < base && isReached) throw invalidCode('an instruction takes more operands than there are')
    this.#height = within('operands', Math.max(base, left) + gives)
  }

  /** Values that a branch takes along to the block that is so many levels further out. */
  carriedTo(label: number): number {
    const frame = this.#frames.at(-1 - label)
    if (frame === undefined) throw invalidCode('a branch leads out of the function')
    return frame.carried
  }

  #settle(): Frame {
    const frame = this.#top()
    const [want, got] = [frame.results, this.#height - frame.base]
    if (got === want || (got < want && !frame.isReached)) return frame
    throw invalidCode(`a block ends with ${got} operands, want ${want}`, `${want} operands`)
  }

  #top(): Frame {
    const frame = this.#frames.at(-1)
    if (frame === undefined) throw invalidCode('a function goes on after its end')
    return frame
  }
}
