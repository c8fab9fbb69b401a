// Past attestations in SQLite, and the challenges that they answered, each once; evidence lies apart, so that it can be
// purged while the explanation stays.

import { ChangeRefused, ENTRY_INDEX, type Statement } from '@casemate/ledger/node'
import type { Entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import { bytes, date, integer, integerOrNull, jsonObject, type Row, text, textOrNull, word } from './rows.ts'
import type { SqliteParts } from './sqlite-parts.ts'
import {
  type AttestationBasis,
  type AttestationFilter,
  type AttestationStore,
  type Challenge,
  type Generations,
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
  readonly #refusalBudget: number

  constructor(parts: SqliteParts, refusalBudget: number) {
    this.#parts = parts
    this.#refusalBudget = refusalBudget
  }

  async insert(
    attestation: NewAttestation,
    entry: Entry,
    { challenge, generations }: AttestationBasis,
  ): Promise<Recorded<null>> {
    const { id, verdict, kind, code, evidence } = attestation
    const at = attestation.at.getTime()
    // Its row would go again with those that ended when it did.
    if (challenge !== null && isForgotten(challenge, at)) throw challengeTaken(null)
    const explanation = JSON.stringify(attestation.explanation)
    const size = Buffer.byteLength(explanation) + (evidence?.length ?? 0)
    const values = [id, at, verdict, kind, code, explanation, ENTRY_INDEX, size]
    const basis = [
      ...(generations === null ? [] : [documentsOf(generations)]),
      ...(challenge === null ? [] : takingOf(challenge, at)),
    ]
    const change: Statement[] = [...basis, { sql: INSERT, values, expected: 1 }]
    if (evidence !== null) change.push({ sql: INSERT_EVIDENCE, values: [id, at, evidence], expected: 1 })
    if (verdict === 'refused') change.push(this.#makeRoom(size))
    try {
      const { index } = await this.#parts.append(entry, change)
      return { index, value: null }
    } catch (error) {
      const refused = error instanceof ChangeRefused ? basis[error.statement] : undefined
      throw refused?.sql === TAKE
        ? challengeTaken(error)
        : refused === undefined
          ? error
          : documentsChanged(error)
    }
  }

  #makeRoom(size: number): Statement {
    const budget = Math.max(this.#refusalBudget, size)
    return { sql: MAKE_ROOM, values: [budget, MAX_MADE_ROOM], expected: 'any' }
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

  purgeEvidence(before: Date, entryOf: (count: number) => Entry): Promise<Recorded<number> | null> {
    return this.#purge(`FROM attestation_evidence WHERE at < ?`, before, entryOf)
  }

  purgeRefused(before: Date, entryOf: (count: number) => Entry): Promise<Recorded<number> | null> {
    return this.#purge(`FROM attestations WHERE verdict = 'refused' AND at < ?`, before, entryOf)
  }

  /** The entry says how many: where others have gone or come meanwhile, it is for the next round. */
  async #purge(
    what: string,
    before: Date,
    entryOf: (count: number) => Entry,
  ): Promise<Recorded<number> | null> {
    const values = [before.getTime()]
    const row = this.#parts.db.prepare(`SELECT count(*) AS count ${what}`).get(...values)
    const count = row === undefined ? 0 : integer(row, 'count')
    if (count === 0) return null
    try {
      const deletion = { sql: `DELETE ${what}`, values, expected: count }
      const { index } = await this.#parts.append(entryOf(count), [deletion])
      return { index, value: count }
    } catch (error) {
      if (error instanceof ChangeRefused) return null
      throw error
    }
  }
}

const INSERT = `INSERT INTO attestations (id, at, verdict, kind, code, explanation, ledger_index, size_bytes)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

/** How far clocks of processes may be apart: as long a challenge is known after its end. */
const CLOCK_SKEW_MS = 60_000

/** Its end first, so that rows come and go at the ends of the table. */
const TAKE = 'INSERT INTO used_challenges (ends_at, nonce) VALUES (?, ?) ON CONFLICT DO NOTHING'

function isForgotten({ endsAt }: Challenge, at: number): boolean {
  return endsAt.getTime() < at - CLOCK_SKEW_MS
}

function takingOf({ nonce, endsAt }: Challenge, at: number): readonly Statement[] {
  return [
    { sql: TAKE, values: [endsAt.getTime(), nonce], expected: 1 },
    { sql: 'DELETE FROM used_challenges WHERE ends_at < ?', values: [at - CLOCK_SKEW_MS], expected: 'any' },
  ]
}

/** One row while both are as they were; a kind without changes has generation 0. */
const DOCUMENTS = `SELECT 1 WHERE coalesce((SELECT value FROM generations WHERE kind = 'policy'), 0) = ?
  AND coalesce((SELECT value FROM generations WHERE kind = 'reference'), 0) = ?`

function documentsOf({ policy, reference }: Generations): Statement {
  return { sql: DOCUMENTS, values: [policy, reference], expected: 1 }
}

function challengeTaken(cause: unknown): BrokerError {
  const message = 'this challenge was answered already, or ended long ago; start again with auth'
  return new BrokerError('session-invalid', message, cause === null ? {} : { cause })
}

function documentsChanged(cause: unknown): BrokerError {
  return new BrokerError('conflict', 'a policy or a reference value changed meanwhile', { cause })
}

const INSERT_EVIDENCE = 'INSERT INTO attestation_evidence (id, at, evidence) VALUES (?, ?, ?)'

/** Attestations that go for one that comes, at most; where a budget was lowered, the next ones take the rest along. */
const MAX_MADE_ROOM = 1024

const REFUSED_BYTES = `(SELECT value FROM totals WHERE name = 'refused-bytes')`

/** The oldest refused ones, until no more is taken than is left for them. */
const MAKE_ROOM = `DELETE FROM attestations WHERE ${REFUSED_BYTES} > ?1 AND sequence IN (
  SELECT sequence FROM (
    SELECT sequence, sum(size_bytes) OVER (ORDER BY sequence) - size_bytes AS freed FROM (
      SELECT sequence, size_bytes FROM attestations WHERE verdict = 'refused' ORDER BY sequence LIMIT ?2))
  WHERE freed < ${REFUSED_BYTES} - ?1)`

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
