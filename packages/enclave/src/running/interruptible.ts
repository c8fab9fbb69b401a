// A thread is ended where its code asks whether it is to end. The engine's baseline code asks in a loop only when a budget
// of executed bytes is used up, which is meant for when to optimise: with the engine's own budget a loop that fills memory went
// on for hours after its time. With a small one it asks after some dozens of turns, and hot code is optimised sooner.
import { setFlagsFromString } from 'node:v8'

/** In bytes of executed code. */
const BUDGET = 1000

/** For code that is compiled from then on, in the whole process. */
export function letCodeBeEnded(): void {
  setFlagsFromString(`--wasm-tiering-budget=${BUDGET}`)
}
