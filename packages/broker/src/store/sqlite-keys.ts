// The broker's keys in SQLite: public parts in the clear, private parts wrapped.

import type { Entry } from '../entry.ts'
import { bytes, date, dateOrNull, integer, jsonObject, type Row, text, word } from './rows.ts'
import type { SqliteParts } from './sqlite-parts.ts'
import {
  KEY_PURPOSES,
  type KeyPurpose,
  type KeyStore,
  type Recorded,
  type Retirement,
  type StoredKey,
} from './store.ts'

export class SqliteKeys implements KeyStore {
  readonly #parts: SqliteParts

  constructor(parts: SqliteParts) {
    this.#parts = parts
  }

  async list(purpose: KeyPurpose | 'any'): Promise<readonly StoredKey[]> {
    const rows = this.#parts.db.prepare('SELECT * FROM keys ORDER BY active_from, id').all()
    return rows.map(readKey).filter(key => purpose === 'any' || key.purpose === purpose)
  }

  async bootstrap(key: StoredKey): Promise<void> {
    this.#insert(key)
  }

  rotate(successor: StoredKey, retired: readonly Retirement[], entry: Entry): Promise<Recorded<null>> {
    return this.#parts.append(entry, () => {
      this.#insert(successor)
      const retire = this.#parts.db.prepare('UPDATE keys SET retires_at = ? WHERE id = ?')
      for (const { id, retiresAt } of retired) retire.run(retiresAt.getTime(), id)
      return null
    })
  }

  delete(ids: readonly string[], entry: Entry): Promise<Recorded<null>> {
    return this.#parts.append(entry, () => {
      const remove = this.#parts.db.prepare('DELETE FROM keys WHERE id = ?')
      for (const id of ids) remove.run(id)
      return null
    })
  }

  #insert(key: StoredKey): void {
    const publicJwk = key.publicJwk === null ? null : JSON.stringify(key.publicJwk)
    this.#parts.db
      .prepare('INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        key.id,
        key.purpose,
        publicJwk,
        key.wrapped.kekVersion,
        key.wrapped.bytes,
        key.createdAt.getTime(),
        key.activeFrom.getTime(),
        key.retiresAt?.getTime() ?? null,
      )
  }
}

function readKey(row: Row): StoredKey {
  return {
    id: text(row, 'id'),
    purpose: word(row, 'purpose', KEY_PURPOSES),
    publicJwk: row['public_jwk'] === null ? null : jsonObject(row, 'public_jwk'),
    wrapped: { kekVersion: integer(row, 'kek_version'), bytes: bytes(row, 'wrapped') },
    createdAt: date(row, 'created_at'),
    activeFrom: date(row, 'active_from'),
    retiresAt: dateOrNull(row, 'retires_at'),
  }
}
