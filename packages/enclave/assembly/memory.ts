// The allocator of the ABI on AssemblyScript's runtime. What the platform asks for is an ArrayBuffer, so that input and
// answers become a Uint8Array without a copy, and may be kept: the garbage collector takes them when nobody does.

/** The platform holds pointers to these; they stay alive until it gives them back. */
const given: ArrayBuffer[] = []

export function casemate_alloc(length: i32): usize {
  // Also every length that is negative as a signed number.
  if (<u32>length > <u32>(1 << 30)) return 0
  const buffer = new ArrayBuffer(length)
  given.push(buffer)
  return changetype<usize>(buffer)
}

/** Takes back what `casemate_alloc` gave; any other memory is that of the code, or of the garbage collector. */
export function casemate_free(pointer: usize, _length: i32): void {
  release(pointer)
}

/** The input at a pointer; it stays with the platform until the call is over. */
export function view(pointer: usize, length: i32): Uint8Array {
  return length == 0 ? new Uint8Array(0) : Uint8Array.wrap(changetype<ArrayBuffer>(pointer), 0, length)
}

/** The platform's answer, which is the code's own from here on. */
export function take(answer: u64): Uint8Array {
  const pointer = <usize>(answer >> 32)
  const bytes = view(pointer, <i32>answer)
  release(pointer)
  return bytes
}

/** Few are out at a time, and the last one comes back first. */
function release(pointer: usize): void {
  const last = given.length - 1
  for (let index = last; index >= 0; index--) {
    if (changetype<usize>(unchecked(given[index])) != pointer) continue
    if (index != last) unchecked((given[index] = given[last]))
    given.length = last
    return
  }
}
