// The files through which kernels and LibOSes give evidence, and how they are used: one write holds all of a value, a read
// may take seconds and may not end. An interface, so that tests can behave as a kernel does.
import { constants, mkdir, open, rmdir, stat } from 'node:fs/promises'

/** File operations; each fails with the system's own error, whose `code` is an errno name. */
export interface PlatformFiles {
  /** All bytes; EFBIG where there are more than `maxBytes`. */
  readonly read: (path: string, maxBytes: number) => Promise<Uint8Array>
  /** One write to a file that is there; what the kernel refuses only when the file is closed goes unnoticed. */
  readonly write: (path: string, bytes: Uint8Array) => Promise<void>
  readonly makeDirectory: (path: string) => Promise<void>
  readonly removeDirectory: (path: string) => Promise<void>
  /** False if it is missing; for what may not be looked at, fails. */
  readonly isThere: (path: string) => Promise<boolean>
}

/** Those of the system that this process runs on. */
export const SYSTEM_FILES: PlatformFiles = {
  read: readAll,
  write: writeOnce,
  makeDirectory: async path => {
    await mkdir(path)
  },
  removeDirectory: rmdir,
  isThere: async path => {
    try {
      await stat(path)
      return true
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false
      throw error
    }
  },
}

/** Sizes that such files state mean nothing, so that they are read to their end. */
async function readAll(path: string, maxBytes: number): Promise<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const buffer = new Uint8Array(maxBytes + 1)
    let filled = 0
    while (filled < buffer.length) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, null)
      if (bytesRead === 0) return buffer.slice(0, filled)
      filled += bytesRead
    }
    throw Object.assign(new Error(`${path} has more than ${maxBytes} bytes`), { code: 'EFBIG' })
  } finally {
    await file.close()
  }
}

/** Without creating or truncating: neither means anything to such a file. */
async function writeOnce(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, constants.O_WRONLY)
  try {
    const { bytesWritten } = await file.write(bytes, 0, bytes.length, null)
    if (bytesWritten !== bytes.length) {
      throw Object.assign(new Error(`${path} took ${bytesWritten} of ${bytes.length} bytes`), { code: 'EIO' })
    }
  } finally {
    await file.close()
  }
}

/** The errno name of a failed operation; empty if it has none. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** The text of a file that holds one word. */
export async function readWord(files: PlatformFiles, path: string): Promise<string> {
  return new TextDecoder().decode(await files.read(path, MAX_WORD_BYTES)).trim()
}

const MAX_WORD_BYTES = 4096
