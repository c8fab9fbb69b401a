// The part of the AssemblyScript compiler's interface that is used here. Its own declarations bring AssemblyScript's
// global types and functions into every file that they are compiled with.

declare module 'assemblyscript' {
  export const NodeKind: Readonly<
    Record<'NamedType' | 'Export' | 'Import' | 'FunctionDeclaration' | 'Variable', number>
  >
  export const SourceKind: Readonly<Record<'User' | 'UserEntry', number>>

  /** Any node of the tree; which members are there follows from its kind. */
  export interface Node {
    readonly kind: number
    readonly range: { readonly start: number; readonly source: Source }
  }
  export interface Identifier extends Node {
    readonly text: string
  }
  export interface TypeNode extends Node {
    readonly isNullable: boolean
    /** Of a named type. */
    readonly name?: { readonly identifier: Identifier; readonly next: unknown }
    readonly typeArguments?: readonly TypeNode[] | null
  }
  export interface FunctionDeclaration extends Node {
    readonly name: Identifier
    readonly flags: number
    readonly typeParameters: readonly unknown[] | null
    readonly signature: {
      readonly parameters: readonly { readonly type: TypeNode; readonly initializer: unknown }[]
      readonly returnType: TypeNode
    }
  }
  export interface ExportStatement extends Node {
    readonly members: readonly { readonly localName: Identifier; readonly exportedName: Identifier }[] | null
    readonly internalPath: string | null
  }
  export interface ImportStatement extends Node {
    readonly declarations: readonly { readonly name: Identifier; readonly foreignName: Identifier }[] | null
    readonly namespaceName: Identifier | null
    readonly internalPath: string
  }
  export interface Source extends Node {
    readonly sourceKind: number
    readonly internalPath: string
    readonly isLibrary: boolean
    readonly text: string
    readonly statements: readonly Node[]
  }
  export interface Parser {
    readonly sources: readonly Source[]
    parseFile(text: string, path: string, isEntry: boolean): void
  }
  export interface Program {
    readonly options: { globalAliases: Map<string, string> | null }
  }
}

declare module 'assemblyscript/asc' {
  import type { Parser, Program } from 'assemblyscript'

  export interface Diagnostic {
    readonly message: string
    /** 3 is an error. */
    readonly category: number
    readonly range: {
      readonly start: number
      readonly source: { readonly normalizedPath: string } | null
    } | null
  }
  export interface Transform {
    /** Set by the compiler. */
    program: Program
    afterParse(parser: Parser): void
  }
  export const version: string
  export function main(
    argv: readonly string[],
    options: {
      readonly stdout: { write(text: string): void }
      readonly stderr: { write(text: string): void }
      readonly readFile: (name: string, baseDir: string) => string | null
      readonly writeFile: (name: string, contents: Uint8Array, baseDir: string) => void
      readonly listFiles: (directory: string, baseDir: string) => readonly string[]
      readonly reportDiagnostic: (diagnostic: Diagnostic) => void
      readonly transforms: readonly (new () => Transform)[]
    },
  ): Promise<{ readonly error: Error | null }>
}
