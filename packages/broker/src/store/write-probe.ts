// A change that nobody reads: whether the disk takes one.

import type { Change } from '@casemate/ledger/node'

/** Takes so many bytes. Each time other values are written, on each page: SQLite does not write what has not changed. */
export function writeProbe(bytes: number): Change {
  return [{ sql: PROBE, values: [bytes / 2], expected: 1 }]
}

const PROBE = `INSERT INTO broker_settings (name, value) VALUES ('write-probe', hex(randomblob(?)))
  ON CONFLICT (name) DO UPDATE SET value = excluded.value`
