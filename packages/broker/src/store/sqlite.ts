// The store in SQLite, in the database that also holds the ledger: a change and its entry are one transaction,
// which the ledger groups with others and syncs before it acknowledges.

import { waitingBriefly } from '@casemate/ledger/node'
import { noteChanges } from './last-change.ts'
import { SqliteAttestations } from './sqlite-attestations.ts'
import { SqliteDocuments } from './sqlite-documents.ts'
import { SqliteKeys } from './sqlite-keys.ts'
import type { SqliteParts } from './sqlite-parts.ts'
import { SqliteReleases } from './sqlite-releases.ts'
import { SqliteSecrets } from './sqlite-secrets.ts'
import { SqliteTokens } from './sqlite-tokens.ts'
import { SqliteWrappings } from './sqlite-wrappings.ts'
import type { Store } from './store.ts'

/** `refusalBudget` in bytes. */
export function createSqliteStore(parts: SqliteParts, refusalBudget: number): Store {
  const alive = parts.db.prepare('SELECT 1 FROM broker_schema')
  // Attestations have the index of their entry with them, and releases change nothing.
  const changing = noteChanges(parts)
  return {
    secrets: new SqliteSecrets(changing),
    documents: new SqliteDocuments(changing),
    attestations: new SqliteAttestations(parts, refusalBudget),
    releases: new SqliteReleases(parts),
    tokens: new SqliteTokens(changing),
    keys: new SqliteKeys(changing),
    wrappings: new SqliteWrappings(changing),
    exclusively: (kind, work) => exclusively(`${parts.db.location()} ${kind}`, work),
    check: async () => void waitingBriefly(parts.db, () => alive.get()),
  }
}

/** What is being done now, of which only one may be. Other processes are kept out by the lock of the data directory. */
const underway = new Set<string>()

async function exclusively(what: string, work: () => Promise<void>): Promise<boolean> {
  if (underway.has(what)) return false
  underway.add(what)
  try {
    await work()
    return true
  } finally {
    underway.delete(what)
  }
}
