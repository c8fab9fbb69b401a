// Releases in SQLite: recorded in the ledger only while what they were decided on still holds, in one transaction.

import type { StatementSync } from 'node:sqlite'
import type { Entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import { integer } from './rows.ts'
import type { SqliteParts } from './sqlite-parts.ts'
import type { Recorded, ReleaseBasis, ReleaseStore } from './store.ts'

export class SqliteReleases implements ReleaseStore {
  readonly #parts: SqliteParts
  readonly #generation: StatementSync
  readonly #revision: StatementSync

  constructor(parts: SqliteParts) {
    this.#parts = parts
    this.#generation = parts.db.prepare("SELECT value FROM generations WHERE kind = 'rule'")
    this.#revision = parts.db.prepare(
      `SELECT revision FROM secrets
       WHERE repository = ? AND type = ? AND tag = ? AND current_version IS NOT NULL`,
    )
  }

  record(entry: Entry, { path, revision, ruleGeneration }: ReleaseBasis): Promise<Recorded<null>> {
    return this.#parts.append(entry, () => {
      // Asked of the database and not of what is kept in memory: writes of the same batch count.
      const generation = this.#generation.get()
      const secret = this.#revision.get(path.repository, path.type, path.tag)
      const isSame =
        (generation === undefined ? 0 : integer(generation, 'value')) === ruleGeneration &&
        secret !== undefined &&
        integer(secret, 'revision') === revision
      if (!isSame) throw new BrokerError('conflict', 'the secret or a rule changed meanwhile')
      return null
    })
  }
}
