// Administrators' tokens in SQLite: hashes only.

import type { StatementSync } from 'node:sqlite'
import type { Entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import { ROLES } from '../roles.ts'
import { bytes, date, integer, type Row, text, word } from './rows.ts'
import { pageOf, type SqliteParts } from './sqlite-parts.ts'
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

  insert(token: StoredToken, entry: Entry): Promise<Recorded<null>> {
    return this.#parts.append(entry, () => {
      const { id, name, role, hash, createdAt, expiresAt } = token
      this.#parts.db
        .prepare('INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?)')
        .run(id, name, role, hash, createdAt.getTime(), expiresAt.getTime())
      return null
    })
  }

  delete(id: string, now: Date, entry: Entry): Promise<Recorded<null>> {
    return this.#parts.append(entry, () => {
      const row = this.#find.get(id)
      if (row === undefined) throw new BrokerError('token-unknown', 'there is no such token')
      this.#parts.db.prepare('DELETE FROM tokens WHERE id = ?').run(id)
      if (readToken(row).role === 'admin' && this.#countValidAdmins(now) === 0) {
        throw new BrokerError('last-admin', 'it is the last valid token with the role admin', {
          hint: 'create another one first',
        })
      }
      return null
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
