// Raw memory for what the enclave keeps: taken once, never freed, not looked at by the garbage collector.

/** Zeroed; `size` bytes, aligned to 16. */
export function reserve(size: usize): usize {
  const pointer = heap.alloc(size)
  memory.fill(pointer, 0, size)
  return pointer
}

/** The bytes of an ASCII string. */
export function ascii(text: string): usize {
  const pointer = reserve(text.length + 32)
  for (let index = 0; index < text.length; index++) store<u8>(pointer + index, <u8>text.charCodeAt(index))
  return pointer
}

/** May read up to 8 bytes behind either end, which the frame's padding allows. */
// @ts-ignore: decorator
@inline
export function isEqual(a: usize, b: usize, length: u32): bool {
  let at: u32 = 0
  while (at + 8 <= length) {
    if (load<u64>(a + at) != load<u64>(b + at)) return false
    at += 8
  }
  const rest = length - at
  return rest == 0 || (load<u64>(a + at) ^ load<u64>(b + at)) << ((8 - rest) << 3) == 0
}
