// Between the ABI's calls and functions of type `(Uint8Array): Uint8Array`; the generated entry uses it.
import { view } from './memory'

let failure: u32 = 0

export function setFailure(status: u32): void {
  failure = status
}

export function enter(pointer: usize, length: i32): Uint8Array {
  failure = 0
  return view(pointer, length)
}

/** The platform copies the result before anything else of the code runs, so nothing has to keep it alive. */
export function leave(result: Uint8Array): u64 {
  if (failure != 0) return failure
  const length = result.byteLength
  return length == 0 ? 0 : ((<u64>result.dataStart) << 32) | <u64>length
}
