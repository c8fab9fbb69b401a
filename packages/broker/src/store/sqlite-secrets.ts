// Secrets in SQLite: one row per path, one per version. A deleted secret leaves its row, so that a version number
// names one content for ever.

import type { StatementSync } from 'node:sqlite'
import type { Change, Statement } from '@casemate/ledger/node'
import type { Entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import type { SecretPath } from '../secret-path.ts'
import { bytes, date, integer, type Row, text } from './rows.ts'
import {
  appendUnless,
  checkPrecondition,
  givenGeneration,
  guard,
  nextGeneration,
  pageOf,
  type SqliteParts,
} from './sqlite-parts.ts'
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

const SELECT_HEAD = 'SELECT * FROM secrets WHERE repository = ? AND type = ? AND tag = ?'

/** Of a secret that exists; the current one without a number. */
const SELECT_VERSION = `SELECT v.* FROM secrets s JOIN secret_versions v
  ON v.secret_id = s.id AND v.version = coalesce(?, s.current_version)
  WHERE s.repository = ? AND s.type = ? AND s.tag = ? AND s.current_version IS NOT NULL`

export class SqliteSecrets implements SecretStore {
  readonly #parts: SqliteParts
  readonly #head: StatementSync
  readonly #version: StatementSync

  constructor(parts: SqliteParts) {
    this.#parts = parts
    this.#head = parts.db.prepare(SELECT_HEAD)
    this.#version = parts.db.prepare(SELECT_VERSION)
  }

  async find(path: SecretPath): Promise<SecretHead | null> {
    const row = this.#live(path)
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
    const row = this.#version.get(version === 'current' ? null : version, ...pathOf(path))
    if (row === undefined) return null
    return {
      ...path,
      version: integer(row, 'version'),
      createdAt: date(row, 'created_at'),
      sizeBytes: integer(row, 'size_bytes'),
      dataKey: { kekVersion: integer(row, 'kek_version'), bytes: bytes(row, 'data_key') },
      ciphertext: bytes(row, 'ciphertext'),
    }
  }

  async put(sealed: SealedSecret, expected: Precondition, entry: Entry): Promise<Recorded<Put<SecretHead>>> {
    const { index, met } = await appendUnless(
      () => this.#parts.append(entry, putting(sealed, expected)),
      ({ statement }) => {
        if (statement === 0) return checkPrecondition(expected, this.#revision(sealed))
        throw new BrokerError('conflict', 'another version was put at the same time')
      },
    )
    const [found, , row] = met
    return { index, value: { ...readHead(row?.rows[0] ?? {}), isNew: found?.count === 0 } }
  }

  async delete(path: SecretPath, expected: Precondition, entry: Entry): Promise<Recorded<null>> {
    const at = pathOf(path)
    const statements = [
      existing(path, expected),
      { sql: DELETE_VERSIONS, values: at, expected: 'any' } as const,
      nextGeneration(KIND),
      { sql: TOUCH_DELETED, values: [KIND, Date.parse(entry.at), ...at], expected: 1 },
    ]
    const { index } = await appendUnless(
      () => this.#parts.append(entry, statements),
      () => this.#demandExisting(path, expected),
    )
    return { index, value: null }
  }

  async deleteVersion(
    path: SecretPath,
    version: number,
    { expected, entry }: DeleteOptions,
  ): Promise<Recorded<null>> {
    const at = pathOf(path)
    const statements = [
      existing(path, expected),
      { sql: DELETE_VERSION, values: [...at, version], expected: 1 },
      nextGeneration(KIND),
      { sql: TOUCH_LEFT, values: [KIND, Date.parse(entry.at), ...at], expected: 1 },
    ]
    const { index } = await appendUnless(
      () => this.#parts.append(entry, statements),
      ({ statement }) => {
        if (statement === 0) return this.#demandExisting(path, expected)
        throw new BrokerError('secret-missing', `there is no version ${version}`)
      },
    )
    return { index, value: null }
  }

  #row(path: SecretPath): Row | null {
    return this.#head.get(...pathOf(path)) ?? null
  }

  #live(path: SecretPath): Row | null {
    const row = this.#row(path)
    return row === null || row['current_version'] === null ? null : row
  }

  #revision(path: SecretPath): number | null {
    const row = this.#live(path)
    return row === null ? null : integer(row, 'revision')
  }

  #demandExisting(path: SecretPath, expected: Precondition): void {
    const revision = this.#revision(path)
    if (revision === null) throw new BrokerError('secret-missing', 'there is no such secret')
    checkPrecondition(expected, revision)
  }
}

/** In the table of generations. */
const KIND = 'secret'

const AT_PATH = 'repository = ? AND type = ? AND tag = ?'
const ID_AT_PATH = `(SELECT id FROM secrets WHERE ${AT_PATH})`

const FOUND = `SELECT 1 FROM secrets WHERE ${AT_PATH} AND current_version IS NOT NULL
  AND revision = coalesce(?, revision)`

/** The first version of a path; any later one only as the one that follows the last. */
const PUT_FIRST = `INSERT INTO secrets
  (last_version, current_version, revision, created_at, updated_at, repository, type, tag)
  VALUES (?1, ?1, ${givenGeneration('?2')}, ?3, ?3, ?4, ?5, ?6)
  ON CONFLICT (repository, type, tag) DO NOTHING RETURNING *`

const PUT_NEXT = `UPDATE secrets SET last_version = ?1, current_version = ?1,
  revision = ${givenGeneration('?2')},
  created_at = iif(current_version IS NULL, ?3, created_at), updated_at = ?3
  WHERE repository = ?4 AND type = ?5 AND tag = ?6 AND last_version = ?1 - 1 RETURNING *`

const PUT_VERSION = `INSERT INTO secret_versions
  (secret_id, version, created_at, size_bytes, kek_version, data_key, ciphertext)
  VALUES (${ID_AT_PATH}, ?, ?, ?, ?, ?, ?)`

const DELETE_VERSIONS = `DELETE FROM secret_versions WHERE secret_id = ${ID_AT_PATH}`
const DELETE_VERSION = `${DELETE_VERSIONS} AND version = ?`

const TOUCH = `UPDATE secrets SET revision = ${givenGeneration('?')}, updated_at = ?, current_version =`
const TOUCH_DELETED = `${TOUCH} NULL WHERE ${AT_PATH}`
const TOUCH_LEFT = `${TOUCH} (SELECT max(version) FROM secret_versions WHERE secret_id = id) WHERE ${AT_PATH}`

function putting(sealed: SealedSecret, expected: Precondition): Change {
  const { version, sizeBytes, dataKey, ciphertext } = sealed
  const path = pathOf(sealed)
  const at = sealed.createdAt.getTime()
  const content = [version, at, sizeBytes, dataKey.kekVersion, dataKey.bytes, ciphertext]
  return [
    guard(expected, FOUND, path),
    nextGeneration(KIND),
    { sql: version === 1 ? PUT_FIRST : PUT_NEXT, values: [version, KIND, at, ...path], expected: 1 },
    { sql: PUT_VERSION, values: [...path, ...content], expected: 1 },
  ]
}

/** What is deleted has to be there, whatever else is expected. */
function existing(path: SecretPath, expected: Precondition): Statement {
  return guard(expected === 'any' ? 'some' : expected, FOUND, pathOf(path))
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
