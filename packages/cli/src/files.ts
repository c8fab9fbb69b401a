// Files that a person names: read whole, with a size limit, and with errors that name the path.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Call } from './command.ts'
import { CliError } from './failure.ts'

/** Nothing that the command reads is legitimately larger, but for a secret that should be stored elsewhere. */
const FILE_LIMIT_BYTES = 4 * 1024 * 1024

/** The path that means standard input. */
export const STDIN = '-'

/** Reads a named file, or stdin for `-`. @throws {CliError} file-not-readable */
export async function readInput(path: string, call: Call): Promise<Uint8Array> {
  if (path !== STDIN) return readBytes(path)
  if (call.terminal.interactive) call.terminal.note('reading from the keyboard; end with Ctrl-D')
  try {
    return await call.terminal.readStdin()
  } catch (cause) {
    throw new CliError('file-not-readable', 'standard input cannot be read', { cause })
  }
}

/** Reads a file. @throws {CliError} file-not-readable */
export function readBytes(path: string): Uint8Array {
  try {
    const { size } = statSync(path)
    if (size > FILE_LIMIT_BYTES) throw new RangeError(`${size} bytes, want at most ${FILE_LIMIT_BYTES}`)
    return new Uint8Array(readFileSync(path))
  } catch (cause) {
    throw notReadable(path, cause)
  }
}

/** The files that a path stands for: itself, or those in the directory, by name. @throws {CliError} file-not-readable */
export function filesAt(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
    return readdirSync(path, { withFileTypes: true })
      .filter(entry => entry.isFile() && !entry.name.startsWith('.'))
      .map(entry => join(path, entry.name))
      .toSorted()
  } catch (cause) {
    throw notReadable(path, cause)
  }
}

/** Reads a document in JSON or YAML. @throws {CliError} file-not-readable, file-malformed */
export async function readDocument(path: string, call: Call): Promise<unknown> {
  const bytes = await readInput(path, call)
  const { parse } = await import('yaml')
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
  throw new CliError('file-malformed', `${nameOfInput(path)} holds no mapping of names to values`)
}

function nameOfInput(path: string): string {
  return path === STDIN ? 'standard input' : path
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}

function notReadable(path: string, cause: unknown): CliError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const reason = REASONS[code] ?? (cause instanceof Error ? cause.message : String(cause))
  return new CliError('file-not-readable', `${path}: ${reason}`, { cause })
}
