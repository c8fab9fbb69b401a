// AssemblyScript → WebAssembly, in memory: the same source gives the same bytes wherever its folder stands, because the
// compiler sees names relative to the entry's folder and no configuration but what is written here.
import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readWithin } from '@casemate/evidence/node'
import type { Parser, Program } from 'assemblyscript'
import type { Diagnostic, main } from 'assemblyscript/asc'
import manifest from '../../package.json' with { type: 'json' }
import { EnclaveError } from '../errors.ts'
import { ENTRY_FILE, generateEntry } from './entry.ts'
import { hintFor } from './hints.ts'

/** The folder of the SDK; in code it is imported as `casemate`. */
const SDK = fileURLToPath(new URL('../../assembly', import.meta.url))
const SDK_NAME = 'casemate'
const COMPILER = manifest.optionalDependencies.assemblyscript
const ERROR_CATEGORY = 3
/** The file from which an `asc` of the same folder would read its options, transforms included. */
const COMPILER_SETTINGS = 'asconfig.json'
/** Far above any source that the compiler takes in its time. */
const SOURCE_LIMIT_BYTES = 16 * 1024 * 1024
/** Errors beyond these are mostly consequences. */
const MAX_ERRORS = 10

/** How AssemblyScript frees memory: by itself, or only if the code calls `__collect()`. */
export const RUNTIMES = ['incremental', 'minimal'] as const
export type Runtime = (typeof RUNTIMES)[number]

export interface CompileOptions {
  readonly memoryPages: number
  /** Keeps names of functions, for traces. */
  readonly debug: boolean
  readonly runtime: Runtime
}

/** @throws {EnclaveError} compile-failed, compiler-unavailable, export-unsuitable, source-unreadable */
export async function compileAssemblyScript(
  entry: string,
  options: CompileOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const main = await loadCompiler()
  const folder = dirname(resolve(entry))
  const files = new SourceFiles(folder)
  if (files.read(basename(entry)) === null) {
    throw new EnclaveError('source-unreadable', `${entry} cannot be read`, { expected: 'a file .ts' })
  }
  const errors: Diagnostic[] = []
  let failed: unknown = null
  let code: Uint8Array | null = null
  const silent = { write: () => undefined }
  const { error } = await main([basename(entry), ...argumentsOf(folder, options)], {
    stdout: silent,
    stderr: silent,
    readFile: (name, directory) => (directory === SDK_NAME ? files.readSdk(name) : files.read(name)),
    writeFile: (_name, contents) => {
      code = contents
    },
    listFiles: () => [],
    reportDiagnostic: diagnostic => {
      if (diagnostic.category === ERROR_CATEGORY) errors.push(diagnostic)
    },
    transforms: [
      class {
        declare program: Program
        async afterParse(parser: Parser): Promise<void> {
          try {
            const entry = await generateEntry(parser)
            parser.parseFile(entry.text, ENTRY_FILE, true)
            this.program.options.globalAliases = new Map([['abort', entry.abort]])
          } catch (thrown) {
            failed = thrown
            throw thrown
          }
        }
      },
    ],
  })
  if (failed !== null) throw failed
  if (errors.length > 0) throw compileFailed(errors, files)
  if (code === null) {
    throw new EnclaveError('compile-failed', error?.message ?? 'the compiler gave nothing', { cause: error })
  }
  return new Uint8Array(code)
}

/**
 * Loaded for builds alone: it takes a hundred megabytes on the disk, which what only runs enclaves does without.
 * @throws {EnclaveError} compiler-unavailable
 */
async function loadCompiler(): Promise<typeof main> {
  const compiler = await import('assemblyscript/asc').catch((cause: unknown) => {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND'
    throw isMissing ? compilerUnavailable('none', cause) : cause
  })
  // Another version may give other bytes, and so another measurement, of the same source.
  if (compiler.version !== COMPILER) throw compilerUnavailable(compiler.version)
  return compiler.main
}

function compilerUnavailable(got: string, cause?: unknown): EnclaveError {
  return new EnclaveError('compiler-unavailable', 'the compiler of enclaves is not here as it has to be', {
    expected: `assemblyscript ${COMPILER}`,
    got,
    hint: `it is optional: npm install assemblyscript@${COMPILER}`,
    cause,
  })
}

function argumentsOf(folder: string, { memoryPages, debug, runtime }: CompileOptions): string[] {
  const names = debug ? ['--debug'] : []
  return `--lib ${SDK_NAME} --outFile enclave.wasm --runtime ${runtime} --exportStart _initialize
    --maximumMemory ${memoryPages} --enable simd --optimizeLevel 3 --shrinkLevel 0`
    .split(/\s+/)
    .concat('--baseDir', folder, names)
}

/** The files of the code and of the SDK, each read once. */
class SourceFiles {
  readonly #folder: string
  readonly #texts = new Map<string, string | null>()

  constructor(folder: string) {
    this.#folder = folder
  }

  read(name: string): string | null {
    return basename(name) === COMPILER_SETTINGS ? null : this.#read(name, resolve(this.#folder, name))
  }

  /** `casemate/index.ts` and its neighbours. */
  readSdk(name: string): string | null {
    if (!name.startsWith(`${SDK_NAME}/`)) return null
    return this.#read(`~lib/${name}`, resolve(SDK, name.slice(SDK_NAME.length + 1)))
  }

  #read(name: string, path: string): string | null {
    const known = this.#texts.get(name)
    if (known !== undefined) return known
    const text = readText(path)
    this.#texts.set(name, text)
    return text
  }

  /** `file:line:column`, counted from 1; the file alone where it is the compiler's own. */
  place(name: string, offset: number): string {
    const text = this.#texts.get(name)
    if (text == null) return name
    const before = text.slice(0, offset).split('\n')
    return `${name}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
  }
}

/** Null if there is none, which sends the compiler to look elsewhere. */
function readText(path: string): string | null {
  try {
    return readWithin(path, SOURCE_LIMIT_BYTES).toString('utf8').replaceAll('\r\n', '\n')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return null
    const why = error instanceof RangeError ? `: ${error.message}` : ''
    throw new EnclaveError('source-unreadable', `${path} cannot be read${why}`, { cause: error })
  }
}

function compileFailed(errors: readonly Diagnostic[], files: SourceFiles): EnclaveError {
  const messages = errors.map(({ message }) => message.trim().replaceAll(/\s*\n\s*/g, ' '))
  const lines = errors.map(({ range }, index) => {
    const name = range?.source?.normalizedPath
    const line = messages[index] ?? ''
    return range === null || name === undefined ? line : `${files.place(name, range.start)}: ${line}`
  })
  const hint = hintFor(messages)
  const more = lines.length > MAX_ERRORS ? [`and ${lines.length - MAX_ERRORS} more`] : []
  return new EnclaveError('compile-failed', lines[0] ?? '', {
    problems: [...lines.slice(0, MAX_ERRORS), ...more],
    ...(hint === undefined ? {} : { hint }),
  })
}
