// Past attestations in SQLite; evidence lies apart, so that it can be purged while the explanation stays.

import type { StatementSync } from 'node:sqlite'
import type { Entry } from '../entry.ts'
import { bytes, date, integer, integerOrNull, jsonObject, type Row, text, textOrNull, word } from './rows.ts'
import type { SqliteParts } from './sqlite-parts.ts'
import {
  type AttestationFilter,
  type AttestationStore,
  type NewAttestation,
  type Page,
  type PageRequest,
  type Recorded,
  type StoredAttestation,
  VERDICTS,
  type Verdict,
} from './store.ts'

const SELECT = `SELECT a.*, EXISTS (SELECT 1 FROM attestation_evidence e WHERE e.id = a.id) AS kept FROM`

/** Attestations that one page with a filter looks at: their explanations are read to compare with. */
const MAX_FILTERED = 500

/** Of each member of a filter, the condition with one place for its value. */
const CONDITIONS: Readonly<Record<keyof AttestationFilter, string>> = {
  kind: 'a.kind = ?',
  code: 'a.code = ?',
  workload: `json_extract(a.explanation, '$.result.workload') = ?`,
  measurement: `instr(json_extract(a.explanation, '$.claims.measurement'), ?) = 1`,
  client: `json_extract(a.explanation, '$.session.client') = ?`,
  idEnd: `a.id LIKE '%' || ?`,
}

function conditionsOf(
  filter: AttestationFilter,
): readonly { readonly sql: string; readonly value: string }[] {
  const names = Object.keys(CONDITIONS) as (keyof AttestationFilter)[]
  return names.flatMap(name => {
    const value = filter[name]
    return value === undefined ? [] : [{ sql: CONDITIONS[name], value }]
  })
}

export class SqliteAttestations implements AttestationStore {
  readonly #parts: SqliteParts
  readonly #insert: StatementSync
  readonly #insertEvidence: StatementSync
  readonly #refusalBudget: number
  /** Bytes of all refused attestations; null: to be summed up again. */
  #refusedBytes: number | null = null

  constructor(parts: SqliteParts, refusalBudget: number) {
    this.#parts = parts
    this.#refusalBudget = refusalBudget
    this.#insert = parts.db.prepare(
      `INSERT INTO attestations (id, at, verdict, kind, code, explanation, ledger_index, size_bytes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#insertEvidence = parts.db.prepare(
      'INSERT INTO attestation_evidence (id, at, evidence) VALUES (?, ?, ?)',
    )
  }

  async insert(attestation: NewAttestation, entry: Entry): Promise<Recorded<null>> {
    const { id, verdict, kind, code, evidence } = attestation
    const at = attestation.at.getTime()
    const explanation = JSON.stringify(attestation.explanation)
    const size = Buffer.byteLength(explanation) + (evidence?.length ?? 0)
    return this.#accounted(entry, index => {
      if (verdict === 'refused') this.#makeRoom(size)
      this.#insert.run(id, at, verdict, kind, code, explanation, index, size)
      if (evidence !== null) this.#insertEvidence.run(id, at, evidence)
      return null
    })
  }

  /** A transaction that comes to nothing leaves the sum unknown. */
  async #accounted<T>(entry: Entry, within: (index: number) => T): Promise<Recorded<T>> {
    try {
      return await this.#parts.append(entry, within)
    } catch (error) {
      this.#refusedBytes = null
      throw error
    }
  }

  #makeRoom(size: number): void {
    const { db } = this.#parts
    let taken = (this.#refusedBytes ?? this.#sumRefused()) + size
    while (taken > this.#refusalBudget) {
      const rows = db.prepare(OLDEST_REFUSED).all()
      if (rows.length === 0) break
      for (const row of rows) {
        if (taken <= this.#refusalBudget) break
        this.#delete(row)
        taken -= integer(row, 'size_bytes')
      }
    }
    this.#refusedBytes = taken
  }

  #sumRefused(): number {
    const row = this.#parts.db.prepare(SUM_REFUSED).get()
    return row === undefined ? 0 : integer(row, 'sum')
  }

  #delete(row: Row): void {
    const { db } = this.#parts
    db.prepare('DELETE FROM attestation_evidence WHERE id = ?').run(text(row, 'id'))
    db.prepare('DELETE FROM attestations WHERE sequence = ?').run(integer(row, 'sequence'))
  }

  async find(id: string): Promise<StoredAttestation | null> {
    const row = this.#parts.db.prepare(`${SELECT} attestations a WHERE a.id = ?`).get(id)
    return row === undefined ? null : readAttestation(row)
  }

  async list(
    verdict: Verdict | 'any',
    { limit, after }: PageRequest,
    filter: AttestationFilter = {},
  ): Promise<Page<StoredAttestation>> {
    const wanted = conditionsOf(filter)
    const bounds = [
      ...(verdict === 'any' ? [] : [verdict]),
      after === null ? Number.MAX_SAFE_INTEGER : Number(after),
    ]
    const range = `${verdict === 'any' ? '' : 'verdict = ? AND '}sequence < ? ORDER BY sequence DESC LIMIT ?`
    const window = wanted.length === 0 ? limit + 1 : MAX_FILTERED
    const where = wanted.length === 0 ? '' : `WHERE ${wanted.map(({ sql }) => sql).join(' AND ')}`
    const from = `(SELECT * FROM attestations WHERE ${range}) a ${where} ORDER BY a.sequence DESC LIMIT ?`
    const values = [...bounds, window, ...wanted.map(({ value }) => value), limit + 1]
    const rows = this.#parts.db.prepare(`${SELECT} ${from}`).all(...values)
    const items = rows.slice(0, limit).map(readAttestation)
    if (rows.length > limit) return { items, next: String(integer(rows[limit - 1] ?? {}, 'sequence')) }
    return { items, next: wanted.length === 0 ? null : this.#endOfWindow(range, [...bounds, window]) }
  }

  /** Where a window that was looked at as a whole ends, for the next to begin there; null where it was the last. */
  #endOfWindow(range: string, values: readonly (string | number)[]): string | null {
    const sql = `SELECT min(sequence) AS last, count(*) AS count FROM (SELECT sequence FROM attestations WHERE ${range})`
    const row = this.#parts.db.prepare(sql).get(...values) ?? {}
    return integer(row, 'count') < MAX_FILTERED ? null : String(integer(row, 'last'))
  }

  async evidence(id: string): Promise<Uint8Array | null> {
    const row = this.#parts.db.prepare('SELECT evidence FROM attestation_evidence WHERE id = ?').get(id)
    return row === undefined ? null : bytes(row, 'evidence')
  }

  async countEvidence(before: Date): Promise<number> {
    const row = this.#parts.db
      .prepare('SELECT count(*) AS count FROM attestation_evidence WHERE at < ?')
      .get(before.getTime())
    return row === undefined ? 0 : integer(row, 'count')
  }

  purgeEvidence(before: Date, entry: Entry): Promise<Recorded<number>> {
    return this.#parts.append(entry, () =>
      Number(
        this.#parts.db.prepare('DELETE FROM attestation_evidence WHERE at < ?').run(before.getTime()).changes,
      ),
    )
  }

  async countRefused(before: Date): Promise<number> {
    const row = this.#parts.db.prepare(`SELECT count(*) AS count ${REFUSED_BEFORE}`).get(before.getTime())
    return row === undefined ? 0 : integer(row, 'count')
  }

  purgeRefused(before: Date, entry: Entry): Promise<Recorded<number>> {
    return this.#accounted(entry, () => {
      const rows = this.#parts.db.prepare(`SELECT sequence, id ${REFUSED_BEFORE}`).all(before.getTime())
      for (const row of rows) this.#delete(row)
      this.#refusedBytes = null
      return rows.length
    })
  }
}

const SUM_REFUSED = `SELECT coalesce(sum(size_bytes), 0) AS sum FROM attestations WHERE verdict = 'refused'`

/** In batches, so that making room reads no more than it removes. */
const OLDEST_REFUSED = `SELECT sequence, id, size_bytes FROM attestations WHERE verdict = 'refused' ORDER BY sequence LIMIT 16`

const REFUSED_BEFORE = `FROM attestations WHERE verdict = 'refused' AND at < ?`

function readAttestation(row: Row): StoredAttestation {
  return {
    id: text(row, 'id'),
    at: date(row, 'at'),
    verdict: word(row, 'verdict', VERDICTS),
    kind: textOrNull(row, 'kind'),
    code: textOrNull(row, 'code'),
    explanation: jsonObject(row, 'explanation'),
    ledgerIndex: integerOrNull(row, 'ledger_index'),
    evidenceKept: integer(row, 'kept') === 1,
  }
}
