// The manifest of an enclave image: what the code is called, what it may use and who it is to sealing.
// It has one spelling, canonical JSON (RFC 8785), so that the same enclave always has the same measurement.
import { decodeUtf8 } from '@casemate/evidence/bytes'
import { EnclaveError } from '../errors.ts'

/** Version of the calling convention in ABI.md. */
export const ABI_VERSION = 1
/** Of WebAssembly, in bytes. */
export const WASM_PAGE_SIZE = 65_536
/** 4 GiB: all that 32-bit addresses reach. */
export const MAX_MEMORY_PAGES = 65_536
/** More than any machine that runs this has processors. */
export const MAX_THREADS = 256
/** Of the canonical JSON, in bytes: a configuration is settings, not data. */
export const MAX_MANIFEST_SIZE = 65_536

const MAX_U16 = 0xffff
const MAX_NAMES = 256
const NAME = /^[A-Za-z][\w.-]{0,63}$/
const FUNCTION = /^[A-Za-z][\w.]{0,127}$/
/** `repository/type/tag`, as the KBS protocol writes it. */
const SECRET = /^(?=.{5,256}$)\w[\w.-]*(?:\/\w[\w.-]*){2}$/
const MEMBERS = [
  'abi',
  'configuration',
  'debug',
  'exports',
  'imports',
  'isvProdId',
  'isvSvn',
  'memoryPages',
  'name',
  'secrets',
  'threads',
] as const

/** An enclave's description of itself; all of it is measured. */
export interface Manifest {
  readonly name: string
  /** Product of the signer, 0 to 65535. */
  readonly isvProdId: number
  /** Security version, 0 to 65535; a newer one opens what older ones sealed. */
  readonly isvSvn: number
  /** Whether the host may look inside: such an enclave shares no sealing key with a production one. */
  readonly debug: boolean
  /** Most memory that one instance may have, in pages of 64 KiB. */
  readonly memoryPages: number
  /** Most instances that may run at once. */
  readonly threads: number
  /** Functions that the host may call, sorted. */
  readonly exports: readonly string[]
  /** Functions of the platform that the code calls, `module.name`, sorted. */
  readonly imports: readonly string[]
  /** Settings that the code can read. */
  readonly configuration: Readonly<Record<string, string>>
  /** Secrets of the broker that the code can ask for, `repository/type/tag`, sorted. */
  readonly secrets: readonly string[]
}

/** Canonical JSON. @throws {EnclaveError} invalid-manifest */
export function encodeManifest(manifest: Manifest): Uint8Array {
  checkManifest({ abi: ABI_VERSION, ...manifest })
  const text = canonical({ abi: ABI_VERSION, ...manifest })
  const bytes = new TextEncoder().encode(text)
  if (bytes.length > MAX_MANIFEST_SIZE) {
    throw invalid('the manifest', `at most ${MAX_MANIFEST_SIZE} bytes`, `${bytes.length} bytes`)
  }
  return bytes
}

/** Only of bytes that `encodeManifest` would write. @throws {EnclaveError} invalid-manifest */
export function parseManifest(bytes: Uint8Array): Manifest {
  const text = decodeUtf8(bytes)
  const value = text === null || bytes.length > MAX_MANIFEST_SIZE ? null : parseJson(text)
  if (!isRecord(value)) throw invalid('the manifest', 'a JSON object', 'something else')
  checkManifest(value)
  if (canonical(value) !== text) throw invalid('the manifest', 'canonical JSON', 'another spelling')
  const { abi: _, ...manifest } = value
  return manifest as unknown as Manifest
}

/** Sorted, each once: the spelling that a manifest wants of its exports, imports and secrets. */
export function sortedNames(names: Iterable<string>): readonly string[] {
  return [...new Set(names)].sort()
}

function checkManifest(value: Readonly<Record<string, unknown>>): void {
  const unknown = Object.keys(value).find(name => !(MEMBERS as readonly string[]).includes(name))
  if (unknown !== undefined)
    throw invalid('the manifest', 'no other members', JSON.stringify(unknown.slice(0, 64)))
  checkInteger(value, 'abi', ABI_VERSION, ABI_VERSION)
  checkInteger(value, 'isvProdId', 0, MAX_U16)
  checkInteger(value, 'isvSvn', 0, MAX_U16)
  checkInteger(value, 'memoryPages', 1, MAX_MEMORY_PAGES)
  checkInteger(value, 'threads', 1, MAX_THREADS)
  if (typeof value['debug'] !== 'boolean') throw wrong(value, 'debug', 'true or false')
  if (typeof value['name'] !== 'string' || !NAME.test(value['name'])) {
    throw wrong(value, 'name', 'a letter, then at most 63 of A-Z a-z 0-9 _ . -')
  }
  checkNames(value, 'exports', FUNCTION)
  checkNames(value, 'imports', FUNCTION)
  checkNames(value, 'secrets', SECRET)
  const { configuration } = value
  const isSettings =
    isRecord(configuration) &&
    Object.entries(configuration).every(
      ([name, setting]) => NAME.test(name) && typeof setting === 'string' && setting.isWellFormed(),
    )
  if (!isSettings) throw wrong(value, 'configuration', 'an object of strings')
}

function checkInteger(
  value: Readonly<Record<string, unknown>>,
  member: string,
  min: number,
  max: number,
): void {
  const got = value[member]
  const fits =
    typeof got === 'number' && Number.isInteger(got) && got >= min && got <= max && !Object.is(got, -0)
  if (!fits) throw wrong(value, member, min === max ? String(min) : `an integer from ${min} to ${max}`)
}

function checkNames(value: Readonly<Record<string, unknown>>, member: string, form: RegExp): void {
  const names = value[member]
  const what = form === SECRET ? 'paths repository/type/tag' : 'names of functions'
  const fits =
    Array.isArray(names) &&
    names.length <= MAX_NAMES &&
    names.every(
      (name, index) =>
        typeof name === 'string' && form.test(name) && (index === 0 || String(names[index - 1]) < name),
    )
  if (!fits) throw wrong(value, member, `at most ${MAX_NAMES} ${what}, sorted, each once`)
}

/** Members are names of ASCII that are no array indices, so sorting them is all that RFC 8785 asks. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (!isRecord(value)) return JSON.stringify(value)
  const members = Object.keys(value).sort()
  return `{${members.map(name => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong(value: Readonly<Record<string, unknown>>, member: string, expected: string): EnclaveError {
  return invalid(
    `${member} of the manifest`,
    expected,
    JSON.stringify(value[member])?.slice(0, 64) ?? 'missing',
  )
}

function invalid(what: string, expected: string, got: string): EnclaveError {
  return new EnclaveError('invalid-manifest', `${what} is ${got}, want ${expected}`, { expected, got })
}
