// Byte strings beyond what `@casemate/evidence/bytes` has: memory given back by hand, and views of fixed structures.

/** Gives the memory back at once if the bytes are all of a buffer: garbage collection is late for large ones. */
export function freeBuffer({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
