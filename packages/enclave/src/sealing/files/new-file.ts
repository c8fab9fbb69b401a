// A file that is made beside the place it is for, and put there once it is whole and on disk. What holds the place
// before is there until that moment, whenever the process ends. A killed process leaves it behind, for the owner's eyes
// alone and under a name that says whose it was; the next run in the directory takes it away.
import { randomBytes } from 'node:crypto'
import { type FileHandle, link, lstat, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { toHex } from '@casemate/evidence/bytes'
import { EnclaveError } from '../../errors.ts'
import { errnoOf, onFile } from '../file-errors.ts'

/** Written at once, in bytes. */
const BATCH_SIZE = 2 ** 20

/** How long nothing was written to what belongs to no process here before it counts as left behind, in milliseconds. */
const IDLE_MS = 600_000

/** Names of what this process is making: they are random, and a path has many spellings. */
const own = new Set<string>()

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
      const name = `.casemate-${process.pid}-${toHex(randomBytes(8))}`
      const path = join(dirname(target), name)
      const handle = await open(path, 'wx', 0o600).catch((cause: unknown) => {
        if (errnoOf(cause) !== 'ENOENT') throw cause
        throw new EnclaveError('file-unwritable', `${target}: there is no such directory`, { cause })
      })
      own.add(name)
      return new NewFile(target, path, handle)
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

  /** From here on all that was written is on disk. @throws {EnclaveError} file-unwritable, disk-full */
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
      else await linkOrReserve(this.path, this.#target)
      own.delete(basename(this.path))
    })
  }

  /** As if it had never been. */
  async discard(): Promise<void> {
    await this.handle.close().catch(() => undefined)
    await rm(this.path, { force: true }).catch(() => undefined)
    own.delete(basename(this.path))
  }
}

/** Puts a file where there is none, and takes no other's place. */
async function linkOrReserve(path: string, target: string): Promise<void> {
  try {
    await link(path, target)
    await rm(path)
  } catch (error) {
    if (!NO_LINKS.has(errnoOf(error))) throw error
    // The name is taken first. A process that is killed between the two leaves an empty file there.
    await (await open(target, 'wx', 0o600)).close()
    await rename(path, target)
  }
}

/** Errors of file systems without hard links, such as those of memory sticks. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** Before there is any work that would come to nothing. @throws {EnclaveError} file-exists */
export async function refuseExisting(path: string): Promise<void> {
  // A link that leads nowhere is there too.
  const found = await lstat(path).catch(() => null)
  if (found !== null) throw new EnclaveError('file-exists', `${path} exists, and is not replaced`)
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

/**
 * Takes away what processes that are gone left unfinished in a directory, as far as we may. `idle`: only what nobody has
 * written to for a while, since a process that is not seen here may run in another container.
 */
export async function removeUnfinished(directory: string, which: 'all' | 'idle' = 'all'): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const pid = Number(UNFINISHED.exec(name)?.[1])
    const path = join(directory, name)
    // In a container the one that was killed had the number that this one has.
    if (Number.isNaN(pid) || own.has(name) || (pid !== process.pid && isRunning(pid))) continue
    if (which === 'all' || (await isIdle(path))) await rm(path, { force: true }).catch(() => undefined)
  }
}

async function isIdle(path: string): Promise<boolean> {
  const { mtimeMs } = await lstat(path).catch(() => ({ mtimeMs: Infinity }))
  return Date.now() - mtimeMs > IDLE_MS
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
