// Administrators' tokens in SQLite: hashes only.

import type { StatementSync } from 'node:sqlite'
import type { Entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import { ROLES } from '../roles.ts'
import { bytes, date, integer, type Row, text, word } from './rows.ts'
import { appendUnless, pageOf, type SqliteParts } from './sqlite-parts.ts'
import type { Page, PageRequest, Recorded, StoredToken, TokenStore } from './store.ts'

export class SqliteTokens implements TokenStore {
  readonly #parts: SqliteParts
  readonly #find: StatementSync

  constructor(parts: SqliteParts) {
    this.#parts = parts
    this.#find = parts.db.prepare('SELECT * FROM tokens WHERE id = ?')
  }

  async find(id: string): Promise<StoredToken | null> {
    const row = this.#find.get(id)
    return row === undefined ? null : readToken(row)
  }

  async list({ limit, after }: PageRequest): Promise<Page<StoredToken>> {
    const rows = this.#parts.db
      .prepare('SELECT * FROM tokens WHERE id > ? ORDER BY id LIMIT ?')
      .all(after ?? '', limit + 1)
    return pageOf(rows, limit, { read: readToken, key: token => token.id })
  }

  async insert(token: StoredToken, entry: Entry): Promise<Recorded<null>> {
    const { id, name, role, hash, createdAt, expiresAt } = token
    const values = [id, name, role, hash, createdAt.getTime(), expiresAt.getTime()]
    const { index } = await this.#parts.append(entry, [{ sql: INSERT, values, expected: 1 }])
    return { index, value: null }
  }

  async delete(id: string, now: Date, entry: Entry): Promise<Recorded<null>> {
    const values = [id, now.getTime()]
    const { index } = await appendUnless(
      () => this.#parts.append(entry, [{ sql: DELETE, values, expected: 1 }]),
      () => this.#demandDeletable(id, now),
    )
    return { index, value: null }
  }

  #demandDeletable(id: string, now: Date): void {
    const row = this.#find.get(id)
    if (row === undefined) throw new BrokerError('token-unknown', 'there is no such token')
    const { role, expiresAt } = readToken(row)
    const left = this.#countValidAdmins(now) - (role === 'admin' && expiresAt > now ? 1 : 0)
    if (role !== 'admin' || left > 0) return
    throw new BrokerError('last-admin', 'it is the last valid token with the role admin', {
      hint: 'create another one first',
    })
  }

  async countValidAdmins(now: Date): Promise<number> {
    return this.#countValidAdmins(now)
  }

  #countValidAdmins(now: Date): number {
    const row = this.#parts.db
      .prepare("SELECT count(*) AS count FROM tokens WHERE role = 'admin' AND expires_at > ?")
      .get(now.getTime())
    return row === undefined ? 0 : integer(row, 'count')
  }
}

const INSERT = `INSERT INTO tokens (id, name, role, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)`

/** An admin's only where another one that is valid stays. */
const DELETE = `DELETE FROM tokens AS gone WHERE id = ? AND (role <> 'admin' OR EXISTS (
  SELECT 1 FROM tokens AS other WHERE other.role = 'admin' AND other.expires_at > ? AND other.id <> gone.id))`

function readToken(row: Row): StoredToken {
  return {
    id: text(row, 'id'),
    name: text(row, 'name'),
    role: word(row, 'role', ROLES),
    hash: bytes(row, 'hash'),
    createdAt: date(row, 'created_at'),
    expiresAt: date(row, 'expires_at'),
  }
}
