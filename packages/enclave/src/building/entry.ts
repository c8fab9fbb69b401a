// The file that stands between the ABI and an enclave's code: for each exported function of the entry the export that
// the platform calls. What a function is follows from its declaration in the compiler's own tree.
import type {
  ExportStatement,
  FunctionDeclaration,
  ImportStatement,
  Node,
  Parser,
  Source,
  TypeNode,
} from 'assemblyscript'
import { EnclaveError } from '../errors.ts'
import { MEMORY_EXPORT, OWN_EXPORTS } from '../running/abi.ts'

/** No file of the code can be called so. */
export const ENTRY_FILE = '~calls.ts'
const SDK_PATH = '~lib/casemate'
const BYTES = 'Uint8Array'
const POINTERS = ['usize', 'u32', 'i32']
const LENGTHS = ['i32', 'u32', 'usize', 'isize']
const PACKED = ['u64', 'i64']

/** A function of the entry that is exported under a name, and where it is declared. */
interface Exported {
  readonly name: string
  readonly declaration: FunctionDeclaration
}

export interface GeneratedEntry {
  readonly text: string
  /** The function that the code calls before it traps; empty if it just traps. */
  readonly abort: string
}

/** Makes the entry an ordinary file. @throws {EnclaveError} export-unsuitable */
export async function generateEntry(parser: Parser): Promise<GeneratedEntry> {
  const { NodeKind, SourceKind } = await import('assemblyscript')
  const entry = parser.sources.find(
    source => source.sourceKind === SourceKind['UserEntry'] && !isRuntime(source),
  )
  if (entry === undefined) throw new TypeError('the compiler has no entry')
  const exported = new ExportReader(parser.sources, NodeKind).exportsOf(entry)
  if (exported.length === 0) {
    throw new EnclaveError('export-unsuitable', `${entry.internalPath}.ts exports no function`, {
      expected: 'export function name(input: Uint8Array): Uint8Array',
      got: 'no exported function',
      hint: 'a function in a constant, or a default export, is none: it has to be declared under its name',
    })
  }
  // Its exports are those of the module no more.
  Object.assign(entry, { sourceKind: SourceKind['User'] })
  const logs = importsLog(parser)
  const lines = [
    ...(logs ? ['import "casemate/abort"'] : []),
    'import { casemate_alloc, casemate_free } from "casemate/memory"',
    'import { enter, leave } from "casemate/calls"',
    ...exported.map(({ name }, index) => `import { ${name} as call${index} } from "./${entry.internalPath}"`),
    'export { casemate_alloc, casemate_free }',
    ...exported.map(({ name, declaration }, index) => callOf(name, declaration, index)),
    '',
  ]
  return { text: lines.join('\n'), abort: logs ? `${SDK_PATH}/abort/abort` : '' }
}

/** Whether any file of the code imports `log`: then it also wants to read why it traps. */
function importsLog(parser: Parser): boolean {
  return parser.sources.some(
    source =>
      !source.isLibrary &&
      source.statements.some(statement => {
        const { internalPath, declarations } = statement as Partial<ImportStatement>
        if (internalPath !== SDK_PATH || declarations === undefined) return false
        return declarations === null || declarations.some(item => item.foreignName.text === 'log')
      }),
  )
}

function isRuntime({ internalPath }: Source): boolean {
  return internalPath.startsWith('~lib/')
}

function callOf(name: string, declaration: FunctionDeclaration, index: number): string {
  if (Object.hasOwn(OWN_EXPORTS, name) || name === MEMORY_EXPORT) {
    throw unsuitable(declaration, name, 'another name', 'a name of the platform')
  }
  const { parameters, returnType } = declaration.signature
  const types = [...parameters.map(item => item.type), returnType].map(typeName)
  const isPlain = declaration.typeParameters === null && parameters.every(item => item.initializer === null)
  const head = `export function ${name}(pointer: usize, length: i32): u64`
  if (isPlain && isType(types, [[BYTES], [BYTES]]))
    return `${head} { return leave(call${index}(enter(pointer, length))) }`
  if (isPlain && isType(types, [POINTERS, LENGTHS, PACKED]))
    return `${head} { return <u64>call${index}(pointer, length) }`
  const got = `(${types.slice(0, -1).join(', ')}): ${types.at(-1) || 'no type'}`
  throw unsuitable(declaration, name, '(Uint8Array): Uint8Array, or (usize, i32): u64', got)
}

/** Parameters and result, each one of those allowed in its place. */
function isType(types: readonly string[], wanted: readonly (readonly string[])[]): boolean {
  return types.length === wanted.length && types.every((type, index) => wanted[index]?.includes(type))
}

/** Simple names alone; whatever else is no type of a call. */
function typeName(type: TypeNode): string {
  if (type.name === undefined) return 'a type of another kind'
  const name = type.name.identifier.text
  const hasMore = type.name.next !== null || (type.typeArguments?.length ?? 0) > 0
  return `${name}${hasMore ? '…' : ''}${type.isNullable ? ' | null' : ''}`
}

function unsuitable(
  declaration: FunctionDeclaration,
  name: string,
  expected: string,
  got: string,
): EnclaveError {
  return new EnclaveError(
    'export-unsuitable',
    `${placeOf(declaration)}: the exported function ${name} is ${got}, want ${expected}`,
    { expected, got, hint: 'what the host is not to call is not exported by the entry' },
  )
}

function placeOf({ range }: Node): string {
  const line = range.source.text.slice(0, range.start).split('\n').length
  return `${range.source.internalPath}.ts:${line}`
}

type Kinds = Readonly<Record<string, number>>

/** Follows `export { … } from` and imports to the declarations. */
class ExportReader {
  readonly #sources: ReadonlyMap<string, Source>
  readonly #kinds: Kinds

  constructor(sources: readonly Source[], kinds: Kinds) {
    this.#sources = new Map(sources.map(source => [source.internalPath, source]))
    this.#kinds = kinds
  }

  /** Exported functions, each once, in the order of the source. */
  exportsOf(source: Source, seen: ReadonlySet<Source> = new Set()): Exported[] {
    if (seen.has(source)) return []
    const within = new Set([...seen, source])
    const all = source.statements.flatMap(statement => this.#exportsOfStatement(statement, source, within))
    return [...new Map(all.map(item => [item.name, item])).values()]
  }

  #exportsOfStatement(statement: Node, source: Source, within: ReadonlySet<Source>): Exported[] {
    if (statement.kind === this.#kinds['FunctionDeclaration']) {
      const declaration = statement as FunctionDeclaration
      return (declaration.flags & EXPORT_FLAG) === 0 ? [] : [{ name: declaration.name.text, declaration }]
    }
    if (statement.kind !== this.#kinds['Export']) return []
    const { members, internalPath } = statement as ExportStatement
    const from = internalPath === null ? source : this.#source(internalPath)
    if (from === undefined) return []
    if (members === null) return this.exportsOf(from, within)
    return members.flatMap(({ localName, exportedName }) => {
      const declaration =
        internalPath === null
          ? this.#local(from, localName.text, within)
          : this.#named(from, localName.text, within)
      return declaration === undefined ? [] : [{ name: exportedName.text, declaration }]
    })
  }

  #named(source: Source, name: string, within: ReadonlySet<Source>): FunctionDeclaration | undefined {
    return this.exportsOf(source, within).find(item => item.name === name)?.declaration
  }

  /** A function of this file, or one that it imports. */
  #local(source: Source, name: string, within: ReadonlySet<Source>): FunctionDeclaration | undefined {
    for (const statement of source.statements) {
      if (statement.kind === this.#kinds['FunctionDeclaration']) {
        const declaration = statement as FunctionDeclaration
        if (declaration.name.text === name) return declaration
      }
      if (statement.kind !== this.#kinds['Import']) continue
      const { declarations, internalPath } = statement as ImportStatement
      const item = declarations?.find(item => item.name.text === name)
      const from = this.#source(internalPath)
      if (item !== undefined && from !== undefined) return this.#named(from, item.foreignName.text, within)
    }
    return undefined
  }

  #source(internalPath: string): Source | undefined {
    return this.#sources.get(internalPath) ?? this.#sources.get(`${internalPath}/index`)
  }
}

/** CommonFlags.Export of the compiler. */
const EXPORT_FLAG = 2
