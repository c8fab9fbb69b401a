// Secrets in SQLite: one row per path, one per version. A deleted secret leaves its row, so that a version number
// names one content for ever.

import type { StatementSync } from 'node:sqlite'
import type { Entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import { formatSecretPath, type SecretPath } from '../secret-path.ts'
import { bytes, date, integer, integerOrNull, type Row, text } from './rows.ts'
import { checkPrecondition, nextGeneration, pageOf, type SqliteParts } from './sqlite-parts.ts'
import type {
  DeleteOptions,
  Page,
  PageRequest,
  Precondition,
  Put,
  Recorded,
  SealedSecret,
  SecretHead,
  SecretStore,
  SecretVersionHead,
} from './store.ts'

/** Rows kept, so that fetches of the same secrets read no more than the sealed version. */
const MAX_KEPT_ROWS = 1024

const SELECT_HEAD = 'SELECT * FROM secrets WHERE repository = ? AND type = ? AND tag = ?'

export class SqliteSecrets implements SecretStore {
  readonly #parts: SqliteParts
  readonly #head: StatementSync
  readonly #version: StatementSync
  /**
   * By path, of secrets that exist; as they are in the database, since the data directory is this process's alone.
   * Every change empties it inside its transaction: rows are read again after the commit, or after the rollback.
   */
  readonly #kept = new Map<string, Row>()

  constructor(parts: SqliteParts) {
    this.#parts = parts
    this.#head = parts.db.prepare(SELECT_HEAD)
    this.#version = parts.db.prepare('SELECT * FROM secret_versions WHERE secret_id = ? AND version = ?')
  }

  async find(path: SecretPath): Promise<SecretHead | null> {
    const row = this.#known(path)
    return row === null ? null : readHead(row)
  }

  async lastVersion(path: SecretPath): Promise<number> {
    const row = this.#row(path)
    return row === null ? 0 : integer(row, 'last_version')
  }

  async versions(path: SecretPath): Promise<readonly SecretVersionHead[]> {
    const row = this.#live(path)
    if (row === null) return []
    const columns = 'version, created_at, size_bytes, kek_version'
    return this.#parts.db
      .prepare(`SELECT ${columns} FROM secret_versions WHERE secret_id = ? ORDER BY version DESC`)
      .all(integer(row, 'id'))
      .map(readVersionHead)
  }

  async list({ limit, after }: PageRequest): Promise<Page<SecretHead>> {
    const [repository = '', type = '', tag = ''] = after?.split('/') ?? []
    const rows = this.#parts.db
      .prepare(
        `SELECT * FROM secrets WHERE current_version IS NOT NULL AND (repository, type, tag) > (?, ?, ?)
         ORDER BY repository, type, tag LIMIT ?`,
      )
      .all(repository, type, tag, limit + 1)
    return pageOf(rows, limit, {
      read: readHead,
      key: head => `${head.repository}/${head.type}/${head.tag}`,
    })
  }

  async open(path: SecretPath, version: number | 'current'): Promise<SealedSecret | null> {
    const head = this.#known(path)
    if (head === null) return null
    const wanted = version === 'current' ? integer(head, 'current_version') : version
    const row = this.#version.get(integer(head, 'id'), wanted)
    if (row === undefined) return null
    return {
      ...path,
      version: wanted,
      createdAt: date(row, 'created_at'),
      sizeBytes: integer(row, 'size_bytes'),
      dataKey: { kekVersion: integer(row, 'kek_version'), bytes: bytes(row, 'data_key') },
      ciphertext: bytes(row, 'ciphertext'),
    }
  }

  put(sealed: SealedSecret, expected: Precondition, entry: Entry): Promise<Recorded<Put<SecretHead>>> {
    return this.#parts.append(entry, () => this.#put(sealed, expected))
  }

  delete(path: SecretPath, expected: Precondition, entry: Entry): Promise<Recorded<null>> {
    return this.#parts.append(entry, () => {
      this.#kept.clear()
      const head = this.#existing(path)
      checkPrecondition(expected, integer(head, 'revision'))
      this.#parts.db.prepare('DELETE FROM secret_versions WHERE secret_id = ?').run(integer(head, 'id'))
      this.#touch(head, null, new Date(entry.at))
      return null
    })
  }

  deleteVersion(
    path: SecretPath,
    version: number,
    { expected, entry }: DeleteOptions,
  ): Promise<Recorded<null>> {
    return this.#parts.append(entry, () => {
      this.#kept.clear()
      const { db } = this.#parts
      const head = this.#existing(path)
      checkPrecondition(expected, integer(head, 'revision'))
      const id = integer(head, 'id')
      const { changes } = db
        .prepare('DELETE FROM secret_versions WHERE secret_id = ? AND version = ?')
        .run(id, version)
      if (changes === 0) throw new BrokerError('secret-missing', `there is no version ${version}`)
      const left = db
        .prepare('SELECT max(version) AS version FROM secret_versions WHERE secret_id = ?')
        .get(id)
      this.#touch(head, left === undefined ? null : integerOrNull(left, 'version'), new Date(entry.at))
      return null
    })
  }

  #put(sealed: SealedSecret, expected: Precondition): Put<SecretHead> {
    this.#kept.clear()
    const { db } = this.#parts
    const found = this.#row(sealed)
    const live = found !== null && found['current_version'] !== null
    checkPrecondition(expected, live ? integer(found, 'revision') : null)
    if (sealed.version !== (found === null ? 0 : integer(found, 'last_version')) + 1) {
      throw new BrokerError('conflict', 'another version was put at the same time')
    }
    const at = sealed.createdAt.getTime()
    const row = db
      .prepare(
        `INSERT INTO secrets (repository, type, tag, last_version, current_version, revision, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (repository, type, tag) DO UPDATE SET last_version = excluded.last_version,
           current_version = excluded.current_version, revision = excluded.revision,
           created_at = iif(current_version IS NULL, excluded.created_at, created_at),
           updated_at = excluded.updated_at
         RETURNING *`,
      )
      .get(...pathOf(sealed), sealed.version, sealed.version, nextGeneration(db, 'secret'), at, at)
    if (row === undefined) throw new BrokerError('internal', 'no row')
    db.prepare('INSERT INTO secret_versions VALUES (?, ?, ?, ?, ?, ?, ?)').run(
      integer(row, 'id'),
      sealed.version,
      at,
      sealed.sizeBytes,
      sealed.dataKey.kekVersion,
      sealed.dataKey.bytes,
      sealed.ciphertext,
    )
    return { ...readHead(row), isNew: !live }
  }

  #touch(head: Row, currentVersion: number | null, at: Date): void {
    this.#parts.db
      .prepare('UPDATE secrets SET current_version = ?, revision = ?, updated_at = ? WHERE id = ?')
      .run(currentVersion, nextGeneration(this.#parts.db, 'secret'), at.getTime(), integer(head, 'id'))
  }

  #row(path: SecretPath): Row | null {
    return this.#head.get(...pathOf(path)) ?? null
  }

  /** For reads outside of transactions. */
  #known(path: SecretPath): Row | null {
    const key = formatSecretPath(path)
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    const row = this.#live(path)
    if (row === null) return null
    if (this.#kept.size >= MAX_KEPT_ROWS) this.#kept.clear()
    this.#kept.set(key, row)
    return row
  }

  #live(path: SecretPath): Row | null {
    const row = this.#row(path)
    return row === null || row['current_version'] === null ? null : row
  }

  #existing(path: SecretPath): Row {
    const row = this.#live(path)
    if (row === null) throw new BrokerError('secret-missing', 'there is no such secret')
    return row
  }
}

function pathOf(path: SecretPath): [string, string, string] {
  return [path.repository, path.type, path.tag]
}

function readHead(row: Row): SecretHead {
  return {
    repository: text(row, 'repository'),
    type: text(row, 'type'),
    tag: text(row, 'tag'),
    version: integer(row, 'current_version'),
    revision: integer(row, 'revision'),
    createdAt: date(row, 'created_at'),
    updatedAt: date(row, 'updated_at'),
  }
}

function readVersionHead(row: Row): SecretVersionHead {
  return {
    version: integer(row, 'version'),
    createdAt: date(row, 'created_at'),
    sizeBytes: integer(row, 'size_bytes'),
    kekVersion: integer(row, 'kek_version'),
  }
}
