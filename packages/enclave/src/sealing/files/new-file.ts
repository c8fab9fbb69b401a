// A file that is made beside the place it is for, and put there once it is whole and on disk. What holds the place
// before is there until that moment, whenever the process ends. It is for ciphertext: a killed process leaves it behind,
// under a name that says whose it was, and the next run takes it away.
import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { toHex } from '../../bytes.ts'
import { onFile } from './file-errors.ts'

/** Written at once, in bytes. */
const BATCH_SIZE = 2 ** 20

const UNFINISHED = /^\.casemate-(\d{1,10})-[0-9a-f]{16}$/

/** Whether a name is one of a file that is being made, or was when its process ended. */
export function isUnfinished(name: string): boolean {
  return UNFINISHED.test(name)
}

export class NewFile {
  readonly #target: string
  readonly path: string
  readonly handle: FileHandle

  private constructor(target: string, path: string, handle: FileHandle) {
    this.#target = target
    this.path = path
    this.handle = handle
  }

  /** For the owner alone. @throws {EnclaveError} file-unwritable, disk-full */
  static create(target: string): Promise<NewFile> {
    return onFile(target, 'file-unwritable', async () => {
      const path = join(dirname(target), `.casemate-${process.pid}-${toHex(randomBytes(8))}`)
      return new NewFile(target, path, await open(path, 'wx', 0o600))
    })
  }

  /** Writes what comes out of a transform. It throws what source, transform and file throw. */
  fill(source: Readable, through: Transform, signal: AbortSignal | null = null): Promise<void> {
    const write = async (sealed: AsyncIterable<Uint8Array>): Promise<void> => {
      let [batch, size]: [Uint8Array[], number] = [[], 0]
      for await (const piece of sealed) {
        batch.push(piece)
        size += piece.length
        if (size < BATCH_SIZE) continue
        await this.#write(batch, size)
        ;[batch, size] = [[], 0]
      }
      await this.#write(batch, size)
    }
    return pipeline(source, through, write, signal === null ? {} : { signal })
  }

  async #write(batch: readonly Uint8Array[], size: number): Promise<void> {
    const { bytesWritten } = await this.handle.writev(batch)
    // A disk that is nearly full takes a part: the rest says why.
    if (bytesWritten < size) await this.handle.writeFile(Buffer.concat(batch).subarray(bytesWritten))
  }

  /** What was written is on disk from here on. @throws {EnclaveError} file-unwritable, disk-full */
  sync(): Promise<void> {
    return onFile(this.#target, 'file-unwritable', async () => {
      await this.handle.sync()
      await this.handle.close()
    })
  }

  /** In the place of the old one, or where there is none. @throws {EnclaveError} file-unwritable, file-exists */
  settle(place: 'replace' | 'new'): Promise<void> {
    return onFile(this.#target, 'file-unwritable', async () => {
      if (place === 'replace') await rename(this.path, this.#target)
      else {
        await link(this.path, this.#target)
        await rm(this.path)
      }
    })
  }

  /** As if it had never been. */
  async discard(): Promise<void> {
    await this.handle.close().catch(() => undefined)
    await rm(this.path, { force: true }).catch(() => undefined)
  }
}

/** Which name stands for which file is on disk from here on. @throws {EnclaveError} file-unwritable */
export function syncDirectoryOf(path: string): Promise<void> {
  // Windows has no handle of a directory to sync.
  if (process.platform === 'win32') return Promise.resolve()
  return onFile(path, 'file-unwritable', async () => {
    const directory = await open(dirname(path), 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  })
}

/** Takes away what processes that are gone left unfinished in a directory, as far as we may. */
export async function removeUnfinished(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const pid = Number(UNFINISHED.exec(name)?.[1])
    // In a container the one that was killed had the number that this one has.
    if (!Number.isNaN(pid) && (pid === process.pid || !isRunning(pid)))
      await rm(join(directory, name), { force: true }).catch(() => undefined)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
