// Settings of a build: from the caller, and from `enclave.json` in the folder of the entry. The caller wins.
import { nearest } from '@casemate/evidence'
import { readWithin } from '@casemate/evidence/node'
import { EnclaveError } from '../errors.ts'
import type { Manifest } from '../image/manifest.ts'
import { RUNTIMES, type Runtime } from './compile.ts'

export const SETTINGS_FILE = 'enclave.json'

const LIMIT_BYTES = 1024 * 1024

/** The manifest, but for what follows from the code, and how to compile. */
export interface BuildSettings extends Omit<Manifest, 'exports' | 'imports'> {
  /** Default 'incremental'. 'minimal' is faster where the code calls `__collect()` itself, between its calls. */
  readonly runtime: Runtime
}

/** 16 MiB. */
export const DEFAULT_MEMORY_PAGES = 256

const MEMBERS = [
  'configuration',
  'debug',
  'isvProdId',
  'isvSvn',
  'memoryPages',
  'name',
  'runtime',
  'secrets',
  'threads',
] as const satisfies readonly (keyof BuildSettings)[]

/** Members that are known; their ranges are for the manifest to check. @throws {EnclaveError} settings-invalid */
export function readSettings(path: string): Partial<BuildSettings> {
  const text = readText(path)
  if (text === null) return {}
  const value = parseJson(text, path)
  for (const name of Object.keys(value)) {
    if ((MEMBERS as readonly string[]).includes(name)) continue
    throw invalid(path, `the member ${JSON.stringify(name.slice(0, 64))}`, {
      expected: MEMBERS.join(', '),
      near: nearest(name, MEMBERS),
    })
  }
  const runtime: unknown = value.runtime
  if (runtime !== undefined && !RUNTIMES.some(known => known === runtime)) {
    throw invalid(path, `the runtime ${JSON.stringify(runtime)}`, {
      expected: RUNTIMES.join(' or '),
      near: typeof runtime === 'string' ? nearest(runtime, RUNTIMES) : null,
    })
  }
  return value
}

function readText(path: string): string | null {
  try {
    return readWithin(path, LIMIT_BYTES).toString('utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    const why = error instanceof RangeError ? `: ${error.message}` : ''
    throw new EnclaveError('source-unreadable', `${path} cannot be read${why}`, { cause: error })
  }
}

function parseJson(text: string, path: string): Partial<BuildSettings> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new EnclaveError('settings-invalid', `${path} is not JSON: ${String(error)}`, { cause: error })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw invalid(path, 'something else', { expected: 'an object' })
}

function invalid(
  path: string,
  got: string,
  { expected, near = null }: { readonly expected: string; readonly near?: string | null },
): EnclaveError {
  const meant = near === null ? {} : { hint: `did you mean ${near}?` }
  return new EnclaveError('settings-invalid', `${path} has ${got}, want ${expected}`, {
    expected,
    got,
    ...meant,
  })
}
