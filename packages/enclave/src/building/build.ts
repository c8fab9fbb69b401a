// Source → unsigned image: compile, find out what the code exports and imports, and write the manifest that says so.
import { basename, dirname, extname, join } from 'node:path'
import { readWithin } from '@casemate/evidence/node'
import { EnclaveError } from '../errors.ts'
import { encodeImage, MAX_CODE_SIZE } from '../image/image.ts'
import { type Manifest, sortedNames } from '../image/manifest.ts'
import { readWasm, type WasmShape } from '../image/wasm.ts'
import { type ImportName, OWN_EXPORTS } from '../running/abi.ts'
import { checkCodeOf } from '../running/check.ts'
import { compileAssemblyScript } from './compile.ts'
import { type BuildSettings, DEFAULT_MEMORY_PAGES, readSettings, SETTINGS_FILE } from './settings.ts'

export interface BuildOptions extends Partial<BuildSettings> {
  /** AssemblyScript (`.ts`), or a module that another compiler made (`.wasm`). */
  readonly entry: string
}

const SECRET_IMPORT: ImportName = 'casemate.secret'

/**
 * The bytes of an unsigned image: the same source and settings give the same bytes. Settings that are not given are
 * those of `enclave.json` beside the entry, else defaults: the file's name, 16 MiB, one thread, 0 for both ids.
 * @throws {EnclaveError} source-unreadable, settings-invalid, compile-failed, export-unsuitable, invalid-manifest, and
 * those of code that no platform would run
 */
export async function buildEnclave({ entry, ...given }: BuildOptions): Promise<Uint8Array> {
  const settings = { ...readSettings(join(dirname(entry), SETTINGS_FILE)), ...given }
  const isModule = extname(entry) === '.wasm'
  if (!isModule && extname(entry) !== '.ts') {
    throw new EnclaveError('source-unreadable', `${entry} is neither AssemblyScript nor WebAssembly`, {
      expected: 'a file .ts or .wasm',
      got: extname(entry) || 'no extension',
    })
  }
  const code = isModule ? readModule(entry) : await compile(entry, settings)
  const shape = readWasm(code)
  checkAmbient(shape)
  checkMaximum(shape)
  const manifest = manifestOf(shape, { name: basename(entry, extname(entry)), ...settings })
  const image = encodeImage(manifest, code)
  await checkCodeOf({ manifest, code })
  checkSecretUse(manifest)
  return image
}

function compile(entry: string, settings: Partial<BuildSettings>): Promise<Uint8Array<ArrayBuffer>> {
  const { memoryPages = DEFAULT_MEMORY_PAGES, debug = false, runtime = 'incremental' } = settings
  return compileAssemblyScript(entry, { memoryPages, debug, runtime })
}

function readModule(path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readWithin(path, MAX_CODE_SIZE))
  } catch (error) {
    if (error instanceof RangeError) throw new EnclaveError('invalid-code', `${path}: ${error.message}`)
    throw new EnclaveError('source-unreadable', `${path} cannot be read`, { cause: error })
  }
}

function manifestOf(
  shape: WasmShape,
  settings: Partial<BuildSettings> & { readonly name: string },
): Manifest {
  // A module from elsewhere may say itself how much it needs.
  const ownPages = shape.memories[0]?.maxPages ?? DEFAULT_MEMORY_PAGES
  return {
    name: settings.name,
    isvProdId: settings.isvProdId ?? 0,
    isvSvn: settings.isvSvn ?? 0,
    debug: settings.debug ?? false,
    memoryPages: settings.memoryPages ?? ownPages,
    threads: settings.threads ?? 1,
    exports: sortedNames([...shape.exports.keys()].filter(name => !Object.hasOwn(OWN_EXPORTS, name))),
    imports: sortedNames(shape.imports.keys()),
    configuration: settings.configuration ?? {},
    secrets: Array.isArray(settings.secrets) ? sortedNames(settings.secrets) : (settings.secrets ?? []),
  }
}

/** Requests of AssemblyScript's library to a browser, with what an enclave has instead. */
const INSTEAD: readonly (readonly [prefix: string, hint: string])[] = [
  ['env.seed', 'Math.random is seeded by the host; random() of casemate is not'],
  ['env.crypto', 'random() of casemate gives random bytes'],
  ['env.trace', 'log() of casemate gives the host a line to read'],
  ['env.console', 'log() of casemate gives the host a line to read'],
  ['env.Date', 'there is no clock in an enclave: let the caller send the time, signed where it matters'],
  ['env.performance', 'there is no clock in an enclave: measure outside'],
  ['wasi_', 'there is no WASI in an enclave: build for wasm32 without a libc, or wasm32-unknown-unknown'],
  ['__wbindgen', 'wasm-bindgen wants JavaScript around it, and there is none in an enclave: see ABI.md'],
  ['env.mem', 'there is no libc in an enclave: clang -mbulk-memory needs none to copy and fill memory'],
]

function checkAmbient({ imports }: WasmShape): void {
  for (const name of imports.keys()) {
    const found = INSTEAD.find(([prefix]) => name.startsWith(prefix))
    if (found === undefined) continue
    throw new EnclaveError('import-unavailable', `the code calls ${name}, which no platform offers`, {
      got: name,
      hint: found[1],
    })
  }
}

/** AssemblyScript is told its maximum; other compilers set none by themselves. */
function checkMaximum({ memories }: WasmShape): void {
  if (memories[0]?.maxPages !== null) return
  throw new EnclaveError('limit-exceeded', 'the module sets no maximum for its memory', {
    expected: 'a maximum, which the manifest then says',
    got: 'no maximum',
    hint: 'for 16 MiB: clang -Wl,--max-memory=16777216, rustc -C link-arg=--max-memory=16777216',
  })
}

/** A declaration that was forgotten is otherwise met by the code, when it asks. */
function checkSecretUse({ imports, secrets }: Manifest): void {
  const asks = imports.includes(SECRET_IMPORT)
  if (asks === secrets.length > 0) return
  const [expected, got] = asks
    ? ['the paths that it asks for', 'no secrets']
    : ['code that asks', secrets.join(', ')]
  throw new EnclaveError(
    'settings-invalid',
    asks
      ? 'the code asks for secrets, and none is declared'
      : 'secrets are declared, and the code asks for none',
    {
      expected,
      got,
      ...(asks
        ? { hint: `casemate enclave build --secret REPOSITORY/TYPE/TAG, or "secrets" in ${SETTINGS_FILE}` }
        : {}),
    },
  )
}
