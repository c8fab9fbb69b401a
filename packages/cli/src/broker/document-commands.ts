// The commands that policies, reference values and rules have in common: named documents with get, set, list and delete.

import { Buffer } from 'node:buffer'
import { statSync } from 'node:fs'
import type { Admin, Documents, ListedDocument, Recorded } from '@casemate/client'
import { type Answer, type Call, type Command, type Flags, SERVER_FLAGS } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readObject, STDIN } from '../files/input-files.ts'
import { jsonLines, printable } from '../terminal/printable.ts'
import { cell, table, time } from '../terminal/table.ts'
import { adminOf } from './connection.ts'
import { LIMIT_FLAG, listed, moreLines } from './paging.ts'

/** One kind of document. */
export interface DocumentKind {
  /** The word on the command line, e.g. `policy`. */
  readonly noun: string
  /** For a sentence, e.g. `appraisal policies`. */
  readonly plural: string
  readonly documents: (admin: Admin) => Pick<Documents<never>, 'list' | 'get' | 'put' | 'delete'>
  /** A name for the help, of one that a tour has made. */
  readonly example: string
  /** Columns of the list beside the name. */
  readonly columns: readonly string[]
  /** @throws {CliError} where a document contradicts the name that it is to be stored under */
  readonly check?: (document: Document, name: string) => void
  /** What the names of this kind mean, where some are built in or decide more than others. */
  readonly naming?: { readonly set: (name: string) => readonly string[]; readonly list: readonly string[] }
  /** What one that was stored does not do, though its author may think so. */
  readonly afterSet?: (document: Document) => Promise<readonly string[]>
  /** What deleting one means, if that is not plain; null if it is. */
  readonly afterDelete?: (name: string) => string | null
}

/** A document as it was read from a file. */
export type Document = Readonly<Record<string, unknown>>

/** The flags of `set`. */
export const SET_FLAGS: Flags = {
  ...SERVER_FLAGS,
  etag: { value: 'ETAG', summary: 'replace only what still has this etag, as `get --json` shows it' },
}

/** `get`, `set`, `list` and `delete` of one kind. */
export function documentCommands(kind: DocumentKind): readonly Command[] {
  return [getCommand(kind), setCommand(kind), listCommand(kind), deleteCommand(kind)]
}

function getCommand({ noun, documents, example }: DocumentKind): Command {
  return {
    words: [noun, 'get'],
    summary: `print one as YAML, ready to be edited and set again`,
    usage: 'NAME',
    minimum: 1,
    maximum: 1,
    flags: SERVER_FLAGS,
    examples: [`casemate ${noun} get ${example} > ${noun}.yaml`],
    run: async call => {
      const [name = ''] = call.positionals
      const found = await documents(adminOf(call)).get(name)
      const lines =
        found.updatedAt === null ? builtInLines(noun, name, found.document) : yamlLines(found.document)
      return { exitCode: 0, json: found, lines: await lines }
    },
  }
}

/** Without the preset's own name, which nothing can be stored under; `set` adds the one that it is given. */
async function builtInLines(noun: string, name: string, document: Document): Promise<string[]> {
  const { name: own, ...rest } = document
  return [
    `# built in, the preset ${cell(own)}: no ${noun} named ${name} is stored`,
    ...(await yamlLines(rest)),
  ]
}

/** YAML; if that would hold what a terminal obeys, JSON, which is YAML too, and can say it in escapes. */
async function yamlLines(document: Readonly<Record<string, unknown>>): Promise<string[]> {
  const { stringify } = await import('../files/yaml.ts')
  const lines = stringify(document).trimEnd().split('\n')
  return lines.every(line => printable(line) === line) ? lines : jsonLines(document)
}

function setCommand(kind: DocumentKind): Command {
  const { noun, example } = kind
  return {
    words: [noun, 'set'],
    summary: 'create or replace one from a file in YAML or JSON, or stdin',
    usage: 'NAME [FILE]',
    minimum: 1,
    maximum: 2,
    flags: SET_FLAGS,
    examples: [`casemate ${noun} set ${example} ${noun}.yaml`],
    run: async call => {
      const [name = '', file] = call.positionals
      if (file === undefined && looksLikeFile(name)) {
        throw new CliError('argument-missing', `${noun} set needs a NAME before the file ${name}`, {
          hint: `casemate ${noun} set NAME ${name}`,
        })
      }
      return storeDocument(call, kind, { name, document: await readObject(file ?? STDIN, call) })
    },
  }
}

/** A name that was forgotten leaves the file in its place, and the command waiting for the keyboard. */
function looksLikeFile(name: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(name) || statSync(name, { throwIfNoEntry: false })?.isFile() === true
}

/** Stores a document, and says so. */
export async function storeDocument(
  call: Call,
  { noun, documents, check, naming, afterSet }: DocumentKind,
  { name, document }: { readonly name: string; readonly document: Document },
): Promise<Answer> {
  const etag = call.option('etag')
  const expected = etag === null ? 'any' : { etag }
  check?.(document, name)
  const stored = await documents(adminOf(call)).put(name, document as never, expected)
  return {
    exitCode: 0,
    json: stored,
    lines: [
      `${noun} ${name} is set${entryNote(stored)}`,
      ...(naming?.set(name) ?? []),
      ...((await afterSet?.(document)) ?? []),
    ],
  }
}

function entryNote({ ledgerIndex }: Recorded): string {
  return ` (ledger entry ${ledgerIndex})`
}

function listCommand({ noun, plural, documents, columns, naming }: DocumentKind): Command {
  return {
    words: [noun, 'list'],
    summary: `list the ${plural}`,
    usage: '',
    minimum: 0,
    maximum: 0,
    flags: { ...SERVER_FLAGS, ...LIMIT_FLAG },
    examples: [`casemate ${noun} list`],
    run: async call => {
      const source = documents(adminOf(call))
      const listing = await listed(call, page => source.list(page))
      const rows = listing.items.map(item => [item.name, ...columns.map(column => columnOf(item, column))])
      const none = `there are no ${plural}; casemate ${noun} set --help`
      const lines = table([noun, ...columns], rows, none, call.terminal.columns)
      return { exitCode: 0, json: listing, lines: [...lines, ...moreLines(listing), ...(naming?.list ?? [])] }
    },
  }
}

/** `updated`, or a member of the document. */
function columnOf(item: ListedDocument, name: string): string {
  return name === 'updated' ? time(item.updatedAt) : cell(item.document[name])
}

function deleteCommand({ noun, documents, afterDelete }: DocumentKind): Command {
  return {
    words: [noun, 'delete'],
    summary: 'delete one',
    usage: 'NAME',
    minimum: 1,
    maximum: 1,
    flags: SERVER_FLAGS,
    examples: [`casemate ${noun} delete old`],
    run: async call => {
      const [name = ''] = call.positionals
      const deleted = await documents(adminOf(call)).delete(name)
      const meaning = afterDelete?.(name)
      return {
        exitCode: 0,
        json: deleted,
        lines: [`${noun} ${name} is deleted`, ...(meaning == null ? [] : [meaning])],
      }
    },
  }
}

/** Bytes for a JSON body. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
