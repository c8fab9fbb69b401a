// Files that whoever runs an example names: read whole, and named again where they are not what they should be.
import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { PartyFailed } from './child.ts'

/** Nothing that an example reads is larger once it is unpacked. */
const MAX_SIZE = 2 ** 30

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'it is no folder',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
}

/** Unpacked where it is a `.gz`. @throws {PartyFailed} file-not-readable, file-malformed */
export function readInputFile(path: string): Buffer {
  const bytes = named(path, () => readFileSync(path))
  if (!path.endsWith('.gz')) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_SIZE })
  } catch (error) {
    throw new PartyFailed('file-malformed', `${path} does not unpack: ${reasonOf(error)}`, null)
  }
}

/** Names of what is in a folder, sorted. @throws {PartyFailed} file-not-readable */
export function namesInFolder(path: string): string[] {
  return named(path, () => readdirSync(path)).sort()
}

function named<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new PartyFailed('file-not-readable', `${path}: ${reasonOf(error)}`, null)
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return REASONS['code' in error ? String(error.code) : ''] ?? error.message
}
