// Appraisal policies, reference values and release rules in SQLite.

import type { StatementSync } from 'node:sqlite'
import type { Entry } from '../entry.ts'
import { BrokerError, type BrokerErrorCode } from '../errors.ts'
import { date, integer, jsonObject, type Row, text, word } from './rows.ts'
import {
  appendUnless,
  checkPrecondition,
  givenGeneration,
  guard,
  nextGeneration,
  pageOf,
  type SqliteParts,
} from './sqlite-parts.ts'
import {
  type DeleteOptions,
  DOCUMENT_KINDS,
  type DocumentChange,
  type DocumentKind,
  type DocumentStore,
  type Generations,
  type Page,
  type PageRequest,
  type Precondition,
  type Put,
  type Recorded,
  type StoredDocument,
} from './store.ts'

const MISSING: Record<DocumentKind, BrokerErrorCode> = {
  policy: 'policy-missing',
  reference: 'reference-missing',
  rule: 'rule-missing',
}

export class SqliteDocuments implements DocumentStore {
  readonly #parts: SqliteParts
  readonly #find: StatementSync
  readonly #generation: StatementSync
  readonly #generations: StatementSync

  constructor(parts: SqliteParts) {
    this.#parts = parts
    this.#find = parts.db.prepare('SELECT * FROM documents WHERE kind = ? AND name = ?')
    this.#generation = parts.db.prepare('SELECT value FROM generations WHERE kind = ?')
    this.#generations = parts.db.prepare(
      `SELECT ${givenGeneration("'policy'")} AS policy, ${givenGeneration("'reference'")} AS reference`,
    )
  }

  async find(kind: DocumentKind, name: string): Promise<StoredDocument | null> {
    const row = this.#find.get(kind, name)
    return row === undefined ? null : readDocument(row)
  }

  async list(kind: DocumentKind, { limit, after }: PageRequest): Promise<Page<StoredDocument>> {
    const rows = this.#parts.db
      .prepare('SELECT * FROM documents WHERE kind = ? AND name > ? ORDER BY name LIMIT ?')
      .all(kind, after ?? '', limit + 1)
    return pageOf(rows, limit, { read: readDocument, key: found => found.name })
  }

  async all(kind: DocumentKind): Promise<readonly StoredDocument[]> {
    return this.#parts.db
      .prepare('SELECT * FROM documents WHERE kind = ? ORDER BY name')
      .all(kind)
      .map(readDocument)
  }

  async generation(kind: DocumentKind): Promise<number> {
    const row = this.#generation.get(kind)
    return row === undefined ? 0 : integer(row, 'value')
  }

  async appraisalGenerations(): Promise<Generations> {
    const { policy, reference } = this.#generations.get() ?? {}
    return { policy: Number(policy ?? 0), reference: Number(reference ?? 0) }
  }

  async put(
    change: DocumentChange,
    expected: Precondition,
    entry: Entry,
  ): Promise<Recorded<Put<StoredDocument>>> {
    const { kind, name, beside } = change
    const at = change.at.getTime()
    const values = [kind, name, JSON.stringify(change.document), kind, at, at]
    const statements = [
      guard(expected, FOUND, [kind, name]),
      nextGeneration(kind),
      { sql: PUT, values, expected: 1 },
      ...(beside === undefined ? [] : [{ sql: FOLLOWS, values: [kind, beside + 1], expected: 1 }]),
    ]
    const { index, met } = await appendUnless(
      () => this.#parts.append(entry, statements),
      cause => {
        checkPrecondition(expected, this.#revision(kind, name))
        if (cause.statement < 3) return
        throw new BrokerError('conflict', 'others of its kind changed meanwhile', { cause })
      },
    )
    const [found, , row] = met
    return { index, value: { ...readDocument(row?.rows[0] ?? {}), isNew: found?.count === 0 } }
  }

  async delete(
    kind: DocumentKind,
    name: string,
    { expected, entry }: DeleteOptions,
  ): Promise<Recorded<null>> {
    const statements = [
      guard(expected, FOUND, [kind, name]),
      { sql: DELETE, values: [kind, name], expected: 1 },
      nextGeneration(kind),
    ]
    const { index } = await appendUnless(
      () => this.#parts.append(entry, statements),
      () => {
        const revision = this.#revision(kind, name)
        if (revision === null) throw new BrokerError(MISSING[kind], `there is no ${kind} ${name}`)
        checkPrecondition(expected, revision)
      },
    )
    return { index, value: null }
  }

  #revision(kind: DocumentKind, name: string): number | null {
    const row = this.#find.get(kind, name)
    return row === undefined ? null : integer(row, 'revision')
  }
}

const FOUND = 'SELECT 1 FROM documents WHERE kind = ? AND name = ? AND revision = coalesce(?, revision)'

const PUT = `INSERT INTO documents (kind, name, document, revision, created_at, updated_at)
  VALUES (?, ?, ?, ${givenGeneration('?')}, ?, ?)
  ON CONFLICT (kind, name) DO UPDATE SET document = excluded.document, revision = excluded.revision,
    updated_at = excluded.updated_at
  RETURNING *`

/** After the change's own, that this is the one after the generation that was read. */
const FOLLOWS = 'SELECT 1 FROM generations WHERE kind = ? AND value = ?'

const DELETE = 'DELETE FROM documents WHERE kind = ? AND name = ?'

function readDocument(row: Row): StoredDocument {
  return {
    kind: word(row, 'kind', DOCUMENT_KINDS),
    name: text(row, 'name'),
    document: jsonObject(row, 'document'),
    revision: integer(row, 'revision'),
    createdAt: date(row, 'created_at'),
    updatedAt: date(row, 'updated_at'),
  }
}
