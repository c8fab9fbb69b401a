// Seals what is read into a file, and opens a sealed file; both of any size in constant memory. A sealed file appears
// as a whole or not at all, and never in the place of another. Plaintext comes out only after all of the file has
// verified: it is read twice, because a file of plaintext to be taken back later would be one too many.
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { dirname } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { EnclaveError } from '../../errors.ts'
import type { SealOptions } from '../blob.ts'
import { fileError, onFile } from '../file-errors.ts'
import type { SealedHeader } from '../header.ts'
import type { UnsealOptions } from '../opening.ts'
import { SealStream } from '../stream.ts'
import { NewFile, refuseExisting, removeUnfinished, syncDirectoryOf } from './new-file.ts'
import { openSealedFile, plaintextOf } from './sealed-file.ts'

/** In bytes. */
const READ_SIZE = 2 ** 20

export interface FileWork {
  readonly signal: AbortSignal | null
  /** So many more bytes of plaintext were worked through; opening does it twice. */
  readonly progress: (bytes: number) => void
}

/**
 * A sealed stream in a file that must not exist; its size in plaintext.
 * @throws {EnclaveError} file-exists, file-unreadable, file-unwritable, disk-full, interrupted, invalid-parameter
 */
export async function sealToFile(
  plaintext: AsyncIterable<Uint8Array>,
  path: string,
  options: SealOptions & FileWork,
): Promise<number> {
  const made = await createNew(path)
  let size = 0
  const progress = (bytes: number): void => {
    size += bytes
    options.progress(bytes)
  }
  try {
    await onFile(path, 'file-unwritable', async () => {
      await made.fill(
        Readable.from(counted(plaintext, { ...options, progress }), { objectMode: false }),
        new SealStream(options),
        options.signal,
      )
    })
    await made.sync()
    await made.settle('new')
  } catch (error) {
    await made.discard()
    throw error
  }
  await syncDirectoryOf(path)
  return size
}

/** A file as it is, in large pieces. Fails with `file-unreadable`. */
export async function* readPlain(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const piece of createReadStream(path, { highWaterMark: READ_SIZE })) yield piece
  } catch (error) {
    throw fileError(error, path, 'file-unreadable')
  }
}

/** Whoever is to open a file, once its header says for whom it is. */
export type Opener = (header: SealedHeader) => UnsealOptions

/**
 * Into a file that must not exist, readable for its owner alone, or into a stream; the header, verified.
 * @throws {EnclaveError} file-exists, file-unreadable, file-unwritable, disk-full, interrupted, the codes of `unseal`
 */
export async function unsealFile(
  path: string,
  out: string | Writable,
  { opener, ...work }: FileWork & { readonly opener: Opener },
): Promise<SealedHeader> {
  if (typeof out === 'string') await refuseExisting(out)
  const file = await openSealedFile(path)
  try {
    const options = opener(file.header)
    for await (const _ of counted(plaintextOf(file, options, work.signal), work));
    const plaintext = counted(plaintextOf(file, options, work.signal), work)
    if (typeof out === 'string') await writeNew(out, plaintext)
    else await writeTo(out, plaintext)
    return file.header
  } finally {
    await file.handle.close()
  }
}

/** A process that is killed leaves no part of it where it could be taken for all of it. */
async function writeNew(path: string, plaintext: AsyncIterable<Uint8Array>): Promise<void> {
  const made = await createNew(path)
  try {
    for await (const piece of plaintext) await made.handle.writeFile(piece)
    await made.sync()
    await made.settle('new')
  } catch (error) {
    await made.discard()
    throw fileError(error, path, 'file-unwritable')
  }
  await syncDirectoryOf(path)
}

async function createNew(path: string): Promise<NewFile> {
  await refuseExisting(path)
  await removeUnfinished(dirname(path), 'idle')
  return NewFile.create(path)
}

async function writeTo(out: Writable, plaintext: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of plaintext) {
    // A reader that has gone says so once; who waits for it after that waits for ever.
    const isGone = out.destroyed || out.errored !== null
    if (isGone) throw new EnclaveError('file-unwritable', 'whoever read the plaintext has stopped reading')
    if (!out.write(piece)) await onFile('stdout', 'file-unwritable', () => once(out, 'drain'))
  }
}

async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  { progress }: FileWork,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    progress(piece.length)
    yield piece
  }
}
