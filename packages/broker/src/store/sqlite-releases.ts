// Releases in SQLite: recorded in the ledger only while what they were decided on still holds, in one transaction.

import { ChangeRefused } from '@casemate/ledger/node'
import type { Entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import type { SqliteParts } from './sqlite-parts.ts'
import type { Recorded, ReleaseBasis, ReleaseStore } from './store.ts'

/** One row while the basis holds; a kind without changes has generation 0. */
const BASIS = `SELECT 1 FROM secrets WHERE repository = ? AND type = ? AND tag = ? AND revision = ?
  AND current_version IS NOT NULL AND coalesce((SELECT value FROM generations WHERE kind = 'rule'), 0) = ?`

export class SqliteReleases implements ReleaseStore {
  readonly #parts: SqliteParts

  constructor(parts: SqliteParts) {
    this.#parts = parts
  }

  async record(entry: Entry, { path, revision, ruleGeneration }: ReleaseBasis): Promise<Recorded<null>> {
    const values = [path.repository, path.type, path.tag, revision, ruleGeneration]
    try {
      const { index } = await this.#parts.append(entry, [{ sql: BASIS, values, expected: 1 }])
      return { index, value: null }
    } catch (cause) {
      if (!(cause instanceof ChangeRefused)) throw cause
      throw new BrokerError('conflict', 'the secret or a rule changed meanwhile', { cause })
    }
  }
}
