// Appraisal policies, reference values and release rules in SQLite.

import type { StatementSync } from 'node:sqlite'
import type { Entry } from '../entry.ts'
import { BrokerError, type BrokerErrorCode } from '../errors.ts'
import { date, integer, jsonObject, type Row, text, word } from './rows.ts'
import { checkPrecondition, nextGeneration, pageOf, type SqliteParts } from './sqlite-parts.ts'
import {
  type DeleteOptions,
  DOCUMENT_KINDS,
  type DocumentChange,
  type DocumentKind,
  type DocumentStore,
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
  /** As they are in the database; the data directory is this process's alone, so no other changes them. */
  readonly #generations = new Map<DocumentKind, number>()

  constructor(parts: SqliteParts) {
    this.#parts = parts
    this.#find = parts.db.prepare('SELECT * FROM documents WHERE kind = ? AND name = ?')
    this.#generation = parts.db.prepare('SELECT value FROM generations WHERE kind = ?')
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
    const known = this.#generations.get(kind)
    if (known !== undefined) return known
    const row = this.#generation.get(kind)
    const generation = row === undefined ? 0 : integer(row, 'value')
    this.#generations.set(kind, generation)
    return generation
  }

  put(change: DocumentChange, expected: Precondition, entry: Entry): Promise<Recorded<Put<StoredDocument>>> {
    return this.#parts.append(entry, () => {
      const { db } = this.#parts
      const found = this.#find.get(change.kind, change.name)
      checkPrecondition(expected, found === undefined ? null : integer(found, 'revision'))
      const at = change.at.getTime()
      const row = db
        .prepare(
          `INSERT INTO documents (kind, name, document, revision, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (kind, name) DO UPDATE SET document = excluded.document, revision = excluded.revision,
             updated_at = excluded.updated_at
           RETURNING *`,
        )
        .get(
          change.kind,
          change.name,
          JSON.stringify(change.document),
          this.#nextGeneration(change.kind),
          at,
          at,
        )
      if (row === undefined) throw new BrokerError('internal', 'no row')
      return { ...readDocument(row), isNew: found === undefined }
    })
  }

  delete(kind: DocumentKind, name: string, { expected, entry }: DeleteOptions): Promise<Recorded<null>> {
    return this.#parts.append(entry, () => {
      const { db } = this.#parts
      const found = this.#find.get(kind, name)
      if (found === undefined) throw new BrokerError(MISSING[kind], `there is no ${kind} ${name}`)
      checkPrecondition(expected, integer(found, 'revision'))
      db.prepare('DELETE FROM documents WHERE kind = ? AND name = ?').run(kind, name)
      this.#nextGeneration(kind)
      return null
    })
  }

  /** Forgets the old one inside the transaction: it is read again after the commit, or after the rollback. */
  #nextGeneration(kind: DocumentKind): number {
    this.#generations.delete(kind)
    return nextGeneration(this.#parts.db, kind)
  }
}

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
