// A write that changes nothing that anybody reads: whether the disk takes one.

import type { DatabaseSync } from 'node:sqlite'

const NAME = 'write-probe'

/** Each call writes another value: SQLite does not write what has not changed. */
export function writeProbe(db: DatabaseSync): () => void {
  const statement = db.prepare(
    `INSERT INTO broker_settings (name, value) VALUES ('${NAME}', '1')
     ON CONFLICT (name) DO UPDATE SET value = CAST((CAST(value AS INTEGER) + 1) % 1000000 AS TEXT)`,
  )
  return () => void statement.run()
}
