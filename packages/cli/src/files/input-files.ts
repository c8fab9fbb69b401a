// Files that a person names: read whole, with a size limit, and with errors that name the path.

import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { readWithin } from '@casemate/evidence/node'
import type { Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'

/** Nothing that the command reads is legitimately larger, but for a secret that should be stored elsewhere. */
const FILE_LIMIT_BYTES = 4 * 1024 * 1024

/** The most that an enclave image can have, and far above what signed enclaves of the SGX SDK have. */
export const IMAGE_LIMIT_BYTES = 96 * 1024 * 1024

/** The path that means standard input. */
export const STDIN = '-'

/** Reads a named file, or stdin for `-`. @throws {CliError} file-not-readable */
export async function readInput(
  path: string,
  call: Call,
  limitBytes = FILE_LIMIT_BYTES,
): Promise<Uint8Array> {
  if (path !== STDIN) return readBytes(path, limitBytes)
  if (call.terminal.interactive) call.terminal.note('reading from the keyboard; end with Ctrl-D')
  try {
    return await call.terminal.readStdin()
  } catch (cause) {
    throw new CliError('file-not-readable', 'standard input cannot be read', { cause })
  }
}

/** Reads a file. @throws {CliError} file-not-readable */
export function readBytes(path: string, limitBytes = FILE_LIMIT_BYTES): Uint8Array {
  try {
    return new Uint8Array(readWithin(path, limitBytes))
  } catch (cause) {
    throw notReadable(path, cause)
  }
}

/** How far directories are followed, and how many files are taken: a home directory given by mistake is neither. */
const MAX_DEPTH = 8
const MAX_FILES = 2_000

/** The files that a path stands for. */
export interface FilesAt {
  readonly files: readonly string[]
  readonly isDirectory: boolean
  /** Whether there is more than was looked at. */
  readonly cut: boolean
}

/** The file itself, or those in the directory and below, by name. @throws {CliError} file-not-readable */
export function filesAt(path: string): FilesAt {
  try {
    if (!statSync(path).isDirectory()) return { files: [path], isDirectory: false, cut: false }
    const within = realpathSync(path) + sep
    const files: string[] = []
    let level = [path]
    for (let depth = 0; depth < MAX_DEPTH && files.length <= MAX_FILES; depth += 1) {
      const entries = level.flatMap(directory => entriesOf(directory))
      files.push(...entries.filter(entry => isFileWithin(entry, within)).map(pathOf))
      level = entries.filter(entry => entry.isDirectory()).map(pathOf)
    }
    const cut = level.length > 0 || files.length > MAX_FILES
    return { files: files.slice(0, MAX_FILES).toSorted(), isDirectory: true, cut }
  } catch (cause) {
    throw notReadable(path, cause)
  }
}

function entriesOf(directory: string): Dirent[] {
  return readdirSync(directory, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'))
}

function pathOf(entry: Dirent): string {
  return join(entry.parentPath, entry.name)
}

/** A link counts if it leads to a file of the same directory, as mounted configuration does. */
function isFileWithin(entry: Dirent, directory: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile()
  try {
    const target = realpathSync(pathOf(entry))
    return target.startsWith(directory) && statSync(target).isFile()
  } catch {
    // It leads nowhere, or where we may not look.
    return false
  }
}

/** Reads a document in JSON or YAML. @throws {CliError} file-not-readable, file-malformed */
export async function readDocument(path: string, call: Call): Promise<unknown> {
  const bytes = await readInput(path, call)
  const { parse } = await import('./yaml.ts')
  try {
    return parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause)
    throw new CliError('file-malformed', `${nameOfInput(path)} is neither JSON nor YAML: ${reason}`, {
      cause,
    })
  }
}

/** Reads a document that has to be an object. @throws {CliError} file-not-readable, file-malformed */
export async function readObject(path: string, call: Call): Promise<Record<string, unknown>> {
  const document = await readDocument(path, call)
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) {
    return Object.fromEntries(Object.entries(document))
  }
  throw new CliError('file-malformed', `${nameOfInput(path)} holds no mapping of names to values`, {
    hint: 'one `name: value` a line in YAML, or an object in JSON; standard input is read where no FILE is named',
  })
}

function nameOfInput(path: string): string {
  return path === STDIN ? 'standard input' : path
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is no directory',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links lead to each other',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the quota is used up',
  EFBIG: 'files may not be as large here',
}

/** What the operating system calls it, or nothing. */
export function errnoOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}

export function notReadable(path: string, cause: unknown): CliError {
  return new CliError('file-not-readable', `${shown(path)}: ${reasonOf(cause)}`, { cause })
}

export function notWritable(path: string, cause: unknown): CliError {
  const reason = errnoOf(cause) === 'ENOENT' ? 'there is no such directory' : reasonOf(cause)
  return new CliError('file-not-writable', `${shown(path)}: ${reason}`, { cause })
}

function reasonOf(cause: unknown): string {
  return REASONS[errnoOf(cause)] ?? (cause instanceof Error ? cause.message : String(cause))
}

/** A variable of a shell script that is not set. */
function shown(path: string): string {
  return path === '' ? '""' : path
}
