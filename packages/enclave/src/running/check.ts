// Everything that is checked before a single instruction of an enclave runs, in one place and in this order:
// shape, signature, measurement, identity, signer, debug flag, limits, secrets, code, exports, imports.
import { toHex } from '@casemate/evidence/bytes'
import { EnclaveError } from '../errors.ts'
import { type EnclaveImage, parseImage } from '../image/image.ts'
import { type Manifest, WASM_PAGE_SIZE } from '../image/manifest.ts'
import { verifyImage } from '../image/sign.ts'
import type { Sigstruct } from '../image/sigstruct.ts'
import { readWasm, type WasmShape } from '../image/wasm.ts'
import { sizeOfReferences } from '../image/wasm-limits.ts'
import {
  ALLOC_EXPORT,
  CALL_SIGNATURE,
  FREE_EXPORT,
  IMPORT_SIGNATURES,
  type ImportName,
  isImportName,
  MEMORY_EXPORT,
  OWN_EXPORTS,
} from './abi.ts'
import { letCodeBeEnded } from './interruptible.ts'
import { tryCompiling } from './trial.ts'

/** The caller's demands on an image. */
export interface Demands {
  /** Whether a debug image is wanted; the other kind is refused. */
  readonly debug: boolean
  /** MRSIGNERs in lower-case hex, of which one must have signed. */
  readonly signers: readonly string[] | 'any'
  /** MRENCLAVE in lower-case hex, or 'any'. */
  readonly measurement: string
}

/** A `WebAssembly.Module`, said so that whoever imports this package needs no declarations of WebAssembly. */
export interface CompiledModule {
  readonly [Symbol.toStringTag]: string
}

export interface CheckedImage {
  readonly manifest: Manifest
  readonly mrEnclave: Uint8Array
  readonly sigstruct: Sigstruct
  readonly module: CompiledModule
  /** How many instances to start. */
  readonly threads: number
}

/** The resources that the machine can give. */
export interface Offers {
  readonly imports: ReadonlySet<ImportName>
  readonly secrets: ReadonlyMap<string, unknown>
  /** Pages of all instances together. */
  readonly memoryPages: number
  /** How many instances are to run; null for as many as the manifest says and there are processors. */
  readonly threads: number | null
  /** Null if nobody counted. */
  readonly processors: number | null
}

/** @throws {EnclaveError} with the code of the first check that fails */
export async function checkImage(bytes: Uint8Array, demands: Demands, offers: Offers): Promise<CheckedImage> {
  const image = parseImage(bytes)
  const sigstruct = verifyImage(image)
  checkDemands(image, sigstruct, demands)
  const threads = checkLimits(image.manifest, offers)
  checkSecrets(image.manifest, offers)
  const shape = checkShape(image, offers.imports)
  checkTotal(shape, image.manifest, threads, offers)
  const module = await compile(image.code, shape)
  return { manifest: image.manifest, mrEnclave: image.mrEnclave, sigstruct, module, threads }
}

const ALL_IMPORTS = new Set(Object.keys(IMPORT_SIGNATURES) as ImportName[])

/** That some platform could run the code, and that it is what the manifest says. @throws as `Enclave.create` */
export async function checkCodeOf(image: Pick<EnclaveImage, 'manifest' | 'code'>): Promise<void> {
  await compile(image.code, checkShape(image, ALL_IMPORTS))
}

/** All that can be told without the engine. @throws {EnclaveError} with the code of the first check that fails */
function checkShape(
  { manifest, code }: Pick<EnclaveImage, 'manifest' | 'code'>,
  offered: ReadonlySet<ImportName>,
): WasmShape {
  const shape = readWasm(code)
  checkMemory(shape, manifest)
  checkReferences(shape, manifest)
  checkExports(shape, manifest)
  checkImports(shape, manifest, offered)
  return shape
}

/** All that is declared is there before the code runs, so that it never has to do without. */
function checkSecrets({ name, secrets }: Manifest, offers: Offers): void {
  for (const path of secrets) {
    if (offers.secrets.has(path)) continue
    throw new EnclaveError(
      'secret-unavailable',
      `the platform has no secret ${path}, which ${name} declares`,
      {
        expected: path,
        got: [...offers.secrets.keys()].join(', ') || 'no secrets',
        hint: `enclave run attests for it with --server URL, or for a try takes it from --secret-file ${path}=FILE; a host of your own hands it over at the start`,
      },
    )
  }
}

function checkDemands({ manifest, mrEnclave }: EnclaveImage, sigstruct: Sigstruct, demands: Demands): void {
  const signer = toHex(sigstruct.mrSigner)
  if (demands.signers !== 'any' && !demands.signers.includes(signer)) {
    throw refuse(
      'signer-untrusted',
      'the signer of the image',
      demands.signers.join(' or ') || 'nobody',
      signer,
    )
  }
  const measurement = toHex(mrEnclave)
  if (demands.measurement !== 'any' && demands.measurement !== measurement) {
    throw refuse('invalid-measurement', 'the measurement of the image', demands.measurement, measurement)
  }
  if (manifest.debug !== demands.debug) {
    const [expected, got] = demands.debug ? ['debug', 'production'] : ['production', 'debug']
    throw refuse('debug-mismatch', 'the image', expected, got)
  }
}

function checkLimits(manifest: Manifest, offers: Offers): number {
  // A count of processors lowers what the manifest says; only a wish of the caller can be refused.
  const threads = offers.threads ?? Math.min(manifest.threads, offers.processors ?? manifest.threads)
  if (threads > manifest.threads) {
    throw refuse('limit-exceeded', 'the number of threads', `at most ${manifest.threads}`, String(threads))
  }
  const pages = manifest.memoryPages * threads
  if (pages > offers.memoryPages) {
    const got = `${manifest.memoryPages} pages in each of ${threads} instances`
    throw refuse('limit-exceeded', 'the memory of the image', `at most ${offers.memoryPages} pages`, got)
  }
  return threads
}

/** Only code of which everything is counted comes before the engine, and first in another process. */
async function compile(code: Uint8Array<ArrayBuffer>, shape: WasmShape): Promise<WebAssembly.Module> {
  await tryCompiling(code)
  letCodeBeEnded()
  const module = await accept(code)
  checkAgreement(module, shape)
  return module
}

async function accept(code: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(code)
  } catch (error) {
    throw new EnclaveError('invalid-code', 'the engine does not accept the code', { cause: error })
  }
}

/** That the engine and our reader saw the same module. */
function checkAgreement(module: WebAssembly.Module, shape: WasmShape): void {
  const imports = new Set(WebAssembly.Module.imports(module).map(item => `${item.module}.${item.name}`))
  const exported = WebAssembly.Module.exports(module)
  const functions = exported.filter(item => item.kind === 'function').map(item => item.name)
  const agree =
    isSameSet(imports, new Set(shape.imports.keys())) &&
    isSameSet(new Set(functions), new Set(shape.exports.keys()))
  if (!agree) throw new EnclaveError('invalid-code', 'the engine sees other imports or exports in the code')
}

function checkMemory(shape: WasmShape, manifest: Manifest): void {
  const [memory, ...more] = shape.memories
  if (memory === undefined || more.length > 0 || !shape.memoryExports.includes(MEMORY_EXPORT)) {
    throw new EnclaveError(
      'invalid-code',
      `the code does not export one memory of its own as ${MEMORY_EXPORT}`,
    )
  }
  if (memory.maxPages === null || memory.maxPages > manifest.memoryPages) {
    const got = memory.maxPages === null ? 'no maximum' : `at most ${memory.maxPages} pages`
    throw new EnclaveError('limit-exceeded', `the memory of the code has ${got}, and the manifest has less`, {
      expected: `at most ${manifest.memoryPages} pages`,
      got,
      hint: 'build with a maximum: --max-memory of wasm-ld, --maximumMemory of asc',
    })
  }
}

/** Tables take memory beside the code's own, at most as much of it as the manifest gives to that. */
function checkReferences({ references }: WasmShape, { memoryPages }: Manifest): void {
  const size = sizeOfReferences(references)
  const most = memoryPages * WASM_PAGE_SIZE
  if (size <= most) return
  throw new EnclaveError('limit-exceeded', `tables and element segments take ${size} bytes`, {
    expected: `at most ${most} bytes, the memory of the manifest`,
    got: `${references} references of ${sizeOfReferences(1)} bytes`,
    hint: 'give tables a smaller maximum, or the enclave more --memory-pages',
  })
}

/** Memory and tables of all instances; less than a page in all of them is nobody's matter. */
function checkTotal({ references }: WasmShape, manifest: Manifest, threads: number, offers: Offers): void {
  const tables = Math.floor((sizeOfReferences(references) * threads) / WASM_PAGE_SIZE)
  const pages = manifest.memoryPages * threads + tables
  if (pages <= offers.memoryPages) return
  const got = `${pages} pages, ${tables} of them for tables, in ${threads} instances`
  throw refuse('limit-exceeded', 'the memory of the image', `at most ${offers.memoryPages} pages`, got)
}

function checkExports(shape: WasmShape, manifest: Manifest): void {
  const wanted = new Map<string, string>(manifest.exports.map(name => [name, CALL_SIGNATURE]))
  for (const [name, signature] of Object.entries(OWN_EXPORTS)) {
    if (wanted.has(name)) throw refuse('export-mismatch', `the export ${name}`, 'not for callers', 'declared')
    const isNeeded = name === ALLOC_EXPORT || name === FREE_EXPORT
    if (isNeeded || shape.exports.has(name)) wanted.set(name, signature)
  }
  for (const name of new Set([...wanted.keys(), ...shape.exports.keys()])) {
    const expected = wanted.get(name) ?? 'not exported'
    const got = shape.exports.get(name) ?? 'not exported'
    if (expected !== got) throw refuse('export-mismatch', `the function ${shown(name)}`, expected, got)
  }
}

function checkImports(shape: WasmShape, manifest: Manifest, offered: ReadonlySet<ImportName>): void {
  const declared = new Set(manifest.imports)
  for (const name of new Set([...declared, ...shape.imports.keys()])) {
    if (declared.has(name) === shape.imports.has(name)) continue
    const [expected, got] = declared.has(name) ? ['imported', 'not imported'] : ['not imported', 'imported']
    throw refuse('import-undeclared', `${shown(name)} by the manifest`, expected, got)
  }
  for (const [name, got] of shape.imports) {
    if (!isImportName(name) || !offered.has(name)) {
      throw new EnclaveError('import-unavailable', `the platform does not offer ${shown(name)}`, {
        expected: [...offered].join(', '),
        got: shown(name),
      })
    }
    const expected = IMPORT_SIGNATURES[name]
    if (expected !== got) throw refuse('invalid-code', `the type of ${name}`, expected, got)
  }
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every(item => b.has(item))
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 64))
}

type CheckCode =
  | 'signer-untrusted'
  | 'invalid-measurement'
  | 'debug-mismatch'
  | 'limit-exceeded'
  | 'export-mismatch'
  | 'import-undeclared'
  | 'invalid-code'

function refuse(code: CheckCode, what: string, expected: string, got: string): EnclaveError {
  return new EnclaveError(code, `${what} is ${got}, want ${expected}`, { expected, got })
}
