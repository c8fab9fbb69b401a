// A write that changes nothing that anybody reads: whether the disk takes one.

import type { DatabaseSync } from 'node:sqlite'

const NAME = 'write-probe'

/** Takes so many bytes. Each call writes other values, on each page: SQLite does not write what has not changed. */
export function writeProbe(db: DatabaseSync): (bytes: number) => void {
  const statement = db.prepare(
    `INSERT INTO broker_settings (name, value) VALUES ('${NAME}', hex(randomblob(?)))
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  )
  return bytes => void statement.run(bytes / 2)
}
