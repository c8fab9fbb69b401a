// The rest of a handshake that cannot be avoided, bare: its JSON read and written once, and its two records in commits that are
// synced, of the size and in groups of the number that this very broker wrote before.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openDatabase } from '@casemate/ledger/node'

/** Does the bare work of so many handshakes. */
export interface HandshakeParts {
  readonly json: (handshakes: number) => void
  readonly commits: (handshakes: number) => void
  /** Handshakes in one of the broker's commits, on average. */
  readonly group: number
  readonly close: () => void
}

/** From the database of a broker at work. */
export function openHandshakeParts(dataDir: string): HandshakeParts {
  const written = readWritten(dataDir)
  const { explanation, evidence, entries, group } = written
  const path = join(dataDir, 'bare.db')
  const db = openDatabase(path)
  db.exec('CREATE TABLE record (id INTEGER PRIMARY KEY, explanation TEXT, evidence BLOB) STRICT')
  db.exec('CREATE TABLE entry (id INTEGER PRIMARY KEY, content TEXT) STRICT')
  const record = db.prepare('INSERT INTO record (explanation, evidence) VALUES (?, ?)')
  const entry = db.prepare('INSERT INTO entry (content) VALUES (?)')
  const body = `{"tee-evidence":{"primary_evidence":${evidence.toString()},"additional_evidence":""}}`
  const explained = JSON.parse(explanation) as Record<string, unknown>
  const quoted: unknown = JSON.parse(evidence.toString())

  const commit = (handshakes: number) => {
    db.exec('BEGIN IMMEDIATE')
    for (let index = 0; index < handshakes; index++) {
      record.run(explanation, evidence)
      for (const content of entries) entry.run(content)
    }
    db.exec('COMMIT')
  }
  return {
    group,
    json: handshakes => {
      for (let index = 0; index < handshakes; index++) {
        JSON.parse(body)
        JSON.stringify(quoted)
        JSON.stringify(explained)
        // The token says the same once more, but for the steps.
        JSON.stringify([explained['claims'], explained['result']])
      }
    },
    commits: handshakes => {
      for (let left = handshakes; left > 0; left -= group) commit(Math.min(left, group))
    },
    close: () => {
      db.close()
      rmSync(path)
    },
  }
}

function readWritten(dataDir: string) {
  const db = new DatabaseSync(join(dataDir, 'casemate.db'), { readOnly: true })
  const one = (sql: string) => db.prepare(sql).get() ?? {}
  const last = (type: string) =>
    String(
      one(`SELECT content FROM ledger_entry WHERE content LIKE '%"${type}"%' ORDER BY position DESC`)[
        'content'
      ],
    )
  const { explanation } = one('SELECT explanation FROM attestations ORDER BY sequence DESC')
  const { evidence } = one('SELECT evidence FROM attestation_evidence ORDER BY at DESC')
  const { handshakes } = one('SELECT count(*) AS handshakes FROM attestations')
  const { batches } = one('SELECT count(*) AS batches FROM ledger_segment')
  const entries = [last('attestation.accepted'), last('release.granted')]
  db.close()
  return {
    explanation: String(explanation),
    evidence: Buffer.from(evidence as Uint8Array),
    entries,
    // Its two records are in two commits, each of which they share with those of others.
    group: Math.max(1, Math.round(Number(handshakes) / Number(batches))),
  }
}
