// Everything in SQLite that is wrapped by the key-encryption key, as one list: what a rotation goes through.

import type { Statement } from '@casemate/ledger/node'
import type { Entry } from '../entry.ts'
import { bytes, integer, type Row, text, word } from './rows.ts'
import type { SqliteParts } from './sqlite-parts.ts'
import { KEY_PURPOSES, type Recorded, type WrappedItem, type WrappingStore } from './store.ts'
import { keyContext, secretContext } from './wrapping-context.ts'

export class SqliteWrappings implements WrappingStore {
  readonly #parts: SqliteParts

  constructor(parts: SqliteParts) {
    this.#parts = parts
  }

  async stale(kekVersion: number, limit: number): Promise<readonly WrappedItem[]> {
    const { db } = this.#parts
    const keys = db.prepare('SELECT * FROM keys WHERE kek_version < ? LIMIT ?').all(kekVersion, limit)
    const versions = db
      .prepare(
        `SELECT v.secret_id, v.version, v.kek_version, v.data_key, s.repository, s.type, s.tag
         FROM secret_versions v JOIN secrets s ON s.id = v.secret_id WHERE v.kek_version < ? LIMIT ?`,
      )
      .all(kekVersion, limit)
    return [...keys.map(readKeyItem), ...versions.map(readVersionItem)].slice(0, limit)
  }

  async rewrap(items: readonly WrappedItem[], entry: Entry): Promise<Recorded<number>> {
    const { index, met } = await this.#parts.append(entry, items.map(rewrapping))
    const value = met.slice(0, items.length).reduce((sum, { count }) => sum + count, 0)
    return { index, value }
  }

  async versionsInUse(): Promise<readonly number[]> {
    return this.#parts.db
      .prepare(
        'SELECT kek_version FROM keys UNION SELECT kek_version FROM secret_versions ORDER BY kek_version',
      )
      .all()
      .map(row => integer(row, 'kek_version'))
  }
}

/** The content of a row never changes, and versions of the key only rise: an older one is all that may be replaced. */
function rewrapping({ reference, wrapped }: WrappedItem): Statement {
  const [table, id = '', version = ''] = reference.split(' ')
  const { kekVersion, bytes } = wrapped
  return table === 'key'
    ? { sql: REWRAP_KEY, values: [kekVersion, bytes, id, kekVersion], expected: 'any' }
    : {
        sql: REWRAP_VERSION,
        values: [kekVersion, bytes, Number(id), Number(version), kekVersion],
        expected: 'any',
      }
}

const REWRAP_KEY = 'UPDATE keys SET kek_version = ?, wrapped = ? WHERE id = ? AND kek_version < ?'

const REWRAP_VERSION = `UPDATE secret_versions SET kek_version = ?, data_key = ?
  WHERE secret_id = ? AND version = ? AND kek_version < ?`

function readKeyItem(row: Row): WrappedItem {
  const id = text(row, 'id')
  return {
    reference: `key ${id}`,
    context: keyContext(word(row, 'purpose', KEY_PURPOSES), id),
    wrapped: { kekVersion: integer(row, 'kek_version'), bytes: bytes(row, 'wrapped') },
  }
}

function readVersionItem(row: Row): WrappedItem {
  const version = integer(row, 'version')
  const path = { repository: text(row, 'repository'), type: text(row, 'type'), tag: text(row, 'tag') }
  return {
    reference: `secret ${integer(row, 'secret_id')} ${version}`,
    context: secretContext(path, version),
    wrapped: { kekVersion: integer(row, 'kek_version'), bytes: bytes(row, 'data_key') },
  }
}
