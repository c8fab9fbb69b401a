// Reads a file whole, up to a limit that is kept while reading: what a file system says of a size is not true of devices,
// pipes and files that grow.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const CHUNK_BYTES = 65_536

/**
 * @param file a path, or a handle, which stays open
 * @throws {RangeError} where there is more than `limitBytes`; and what the system says
 */
export function readWithin(file: string | number, limitBytes: number): Buffer<ArrayBuffer> {
  if (typeof file === 'number') return readOpen(file, limitBytes)
  const handle = openSync(file, 'r')
  try {
    return readOpen(handle, limitBytes)
  } finally {
    closeSync(handle)
  }
}

function readOpen(handle: number, limitBytes: number): Buffer<ArrayBuffer> {
  const { size } = fstatSync(handle)
  if (size > limitBytes) throw new RangeError(`${size} bytes, want at most ${limitBytes}`)
  const chunks: Buffer<ArrayBuffer>[] = []
  let length = 0
  for (;;) {
    // One byte more than it should have, to see its end.
    const chunk = Buffer.alloc(Math.max(size + 1 - length, CHUNK_BYTES))
    const read = readSync(handle, chunk)
    const [first] = chunks
    // What was read at once is not copied: whoever reads a key overwrites it.
    if (read === 0) return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length)
    length += read
    if (length > limitBytes) throw new RangeError(`over ${limitBytes} bytes, want at most ${limitBytes}`)
    chunks.push(chunk.subarray(0, read))
  }
}
