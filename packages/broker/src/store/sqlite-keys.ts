// The broker's keys in SQLite: public parts in the clear, private parts wrapped.

import { ChangeRefused, type Statement } from '@casemate/ledger/node'
import type { Entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
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

  async bootstrap(key: StoredKey): Promise<StoredKey> {
    const { db } = this.#parts
    db.prepare(`${INSERT} SELECT ${PLACES} WHERE NOT EXISTS (SELECT 1 FROM keys WHERE purpose = ?)`).run(
      ...valuesOf(key),
      key.purpose,
    )
    const [first = key] = await this.list(key.purpose)
    return first
  }

  async rotate(successor: StoredKey, retired: readonly Retirement[], entry: Entry): Promise<Recorded<null>> {
    const { id: own, purpose } = successor
    const retirements = retired.map(
      ({ id, retiresAt }): Statement => ({ sql: RETIRE, values: [retiresAt.getTime(), id], expected: 1 }),
    )
    try {
      const { index } = await this.#parts.append(entry, [
        { sql: `${INSERT} VALUES (${PLACES})`, values: valuesOf(successor), expected: 1 },
        ...retirements,
        { sql: OTHERS, values: [purpose, own], expected: 0 },
      ])
      return { index, value: null }
    } catch (cause) {
      if (!(cause instanceof ChangeRefused)) throw cause
      throw new BrokerError('conflict', 'the keys changed meanwhile', { cause })
    }
  }

  async delete(ids: readonly string[], entry: Entry): Promise<Recorded<null>> {
    const statements = ids.map(id => ({ sql: 'DELETE FROM keys WHERE id = ?', values: [id], expected: 1 }))
    const { index } = await this.#parts.append(entry, statements)
    return { index, value: null }
  }
}

const INSERT = `INSERT INTO keys (id, purpose, public_jwk, kek_version, wrapped, created_at, active_from, retires_at)`
const PLACES = '?, ?, ?, ?, ?, ?, ?, ?'
const RETIRE = 'UPDATE keys SET retires_at = ? WHERE id = ?'
/** That no time is set for: whoever added them was not seen, and without a successor they would stay. */
const OTHERS = 'SELECT 1 FROM keys WHERE purpose = ? AND id <> ? AND retires_at IS NULL'

function valuesOf(key: StoredKey) {
  return [
    key.id,
    key.purpose,
    key.publicJwk === null ? null : JSON.stringify(key.publicJwk),
    key.wrapped.kekVersion,
    key.wrapped.bytes,
    key.createdAt.getTime(),
    key.activeFrom.getTime(),
    key.retiresAt?.getTime() ?? null,
  ]
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
