// A sealed file, blob or stream, read chunk by chunk. Its size is taken once: what is added or cut later does not verify.
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { equal } from '@casemate/evidence/bytes'
import { EnclaveError } from '../../errors.ts'
import { unseal } from '../blob.ts'
import { ChunkKeys, SEALED_CHUNK_SIZE } from '../chunks.ts'
import { onFile } from '../file-errors.ts'
import {
  encodeHeader,
  HEADER_SIZE,
  isSealed,
  MAX_ADDITIONAL_DATA,
  parseHeader,
  type SealedHeader,
} from '../header.ts'
import { keyToOpen, type UnsealOptions } from '../opening.ts'

/** Read at once, in bytes: enough that the reading costs little, of whole chunks. */
const PIECE_SIZE = 16 * SEALED_CHUNK_SIZE
/** A blob is opened as a whole, in memory; in bytes. */
const MAX_BLOB_SIZE = 2 ** 30

/** Distinguishes one state of a file from another. */
export interface FileState {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly mode: bigint
  readonly uid: bigint
  readonly gid: bigint
}

export interface SealedFile {
  readonly path: string
  readonly handle: FileHandle
  readonly state: FileState
  /** UNVERIFIED until something was opened. */
  readonly header: SealedHeader
}

/** Not on every platform. A pipe that nobody writes to would hold up its reader for good. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
const NO_LINK = constants.O_NOFOLLOW ?? 0

/** @throws {EnclaveError} file-unreadable, seal-malformed */
export function openSealedFile(path: string, links: 'follow' | 'refuse' = 'follow'): Promise<SealedFile> {
  return onFile(path, 'file-unreadable', async () => {
    const handle = await open(path, links === 'refuse' ? READ | NO_LINK : READ)
    try {
      const stat = await handle.stat({ bigint: true })
      if (!stat.isFile()) throw new EnclaveError('file-unreadable', `${path}: it is not a regular file`)
      const start = Buffer.alloc(HEADER_SIZE + MAX_ADDITIONAL_DATA)
      const size = await readAt(handle, start, 0)
      return { path, handle, state: stat, header: parseHeader(start.subarray(0, size)) }
    } catch (error) {
      await handle.close()
      throw error
    }
  })
}

/** Whether a file means to be sealed, by its first bytes. @throws {EnclaveError} file-unreadable */
export function isSealedFile(path: string): Promise<boolean> {
  return onFile(path, 'file-unreadable', async () => {
    const handle = await open(path, READ)
    try {
      if (!(await handle.stat()).isFile()) return false
      const start = Buffer.alloc(HEADER_SIZE)
      return isSealed(start.subarray(0, await readAt(handle, start, 0)))
    } finally {
      await handle.close()
    }
  })
}

/**
 * Its content, piece by piece, each verified; that it was whole is known only when this ends without an error.
 * @throws {EnclaveError} file-unreadable, file-changed, and the codes of `unseal`
 */
export async function* plaintextOf(
  file: SealedFile,
  options: UnsealOptions,
  signal: AbortSignal | null,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { handle, header } = file
  const size = Number(file.state.size)
  if (header.form === 'blob') {
    if (size > MAX_BLOB_SIZE)
      throw new EnclaveError('invalid-parameter', `${file.path}: a blob of ${size} bytes does not fit memory`)
    const whole = Buffer.alloc(size)
    await onFile(file.path, 'file-unreadable', () => readAt(handle, whole, 0))
    const { plaintext, header: verified } = unseal(whole, options)
    // It was read a second time: what was written there in between verifies by itself, under another label.
    if (!equal(encodeHeader(verified), encodeHeader(header)))
      throw new EnclaveError('file-changed', `${file.path} was changed while it was being read`)
    yield plaintext
    return
  }
  const keys = new ChunkKeys(header, keyToOpen(header, options))
  const piece = Buffer.alloc(PIECE_SIZE)
  let at = HEADER_SIZE + header.additionalData.length
  do {
    if (signal?.aborted === true) throw new EnclaveError('interrupted', `${file.path}: stopped`)
    const got = await onFile(file.path, 'file-unreadable', () => readAt(handle, piece, at))
    const wanted = Math.min(PIECE_SIZE, size - at)
    const isEnd = at + got >= size || got < wanted
    for (let offset = 0; offset === 0 || offset < got; offset += SEALED_CHUNK_SIZE) {
      const end = Math.min(offset + SEALED_CHUNK_SIZE, got)
      yield keys.open(piece.subarray(offset, end), isEnd && end === got)
    }
    at += got
    if (isEnd) return
  } while (true)
}

/** Fills the buffer as far as the file goes, and gives how far. */
async function readAt(handle: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}
