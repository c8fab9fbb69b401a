// The disk holds the ledger, and for each frame the sealed piece from which the enclave knows again what it decided.
// Both in one database and one transaction, in the order of the frames: there is no entry without its piece, nor a gap.
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import {
  ChangeRefused,
  ENTRY_INDEX,
  type Ledger,
  openDatabase,
  openLedger,
  SqliteLedger,
} from '@casemate/ledger/node'

/** The name of the log; a bank would take one of its own. */
export const LOG_ORIGIN = 'payments.example/log'

const SCHEMA = `
CREATE TABLE IF NOT EXISTS payment_keys (id INTEGER PRIMARY KEY CHECK (id = 1), sealed BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS payment_frame (
  frame INTEGER PRIMARY KEY, position INTEGER NOT NULL, sealed BLOB NOT NULL
) STRICT`

const SQL = {
  readKeys: 'SELECT sealed FROM payment_keys',
  addKeys: 'INSERT INTO payment_keys (id, sealed) VALUES (1, ?)',
  last: 'SELECT max(frame) AS frame FROM payment_frame',
  one: 'SELECT frame, position, sealed FROM payment_frame WHERE frame = ?',
  all: 'SELECT frame, position, sealed FROM payment_frame ORDER BY frame',
} as const

/** Only as the one that follows the last. */
const ADD_FRAME = `INSERT INTO payment_frame (frame, position, sealed)
  SELECT ?, ?, ? WHERE (SELECT coalesce(max(frame), 0) FROM payment_frame) = ?`

export interface Piece {
  readonly frame: number
  /** Index of its entry in the ledger. */
  readonly position: number
  readonly sealed: Uint8Array
}

/** The ledger's entry of a frame. */
export interface FrameEntry {
  readonly frame: number
  /** Decisions in it. */
  readonly decisions: number
  readonly root: Uint8Array
}

/** Ed25519 in PKCS #8, up to the seed. */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

export class Journal {
  readonly #db: DatabaseSync
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>
  #ledger: Ledger | null = null

  constructor(directory: string) {
    this.#db = openDatabase(join(directory, 'payments.db'))
    this.#db.exec(SCHEMA)
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, this.#db.prepare(sql)] as const)
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>
  }

  /** Null before the first start. */
  get keys(): Uint8Array | null {
    return (this.#statements.readKeys.get() as { sealed: Uint8Array } | undefined)?.sealed ?? null
  }

  keepKeys(sealed: Uint8Array): void {
    this.#statements.addKeys.run(sealed)
  }

  /** `seed` is of the log's signing key. @throws {LedgerError} */
  async openLedger(seed: Uint8Array, now: () => Date): Promise<void> {
    const database = new SqliteLedger(this.#db)
    this.#ledger ??= await openLedger({ database, origin: LOG_ORIGIN, signingKey: signingKey(seed), now })
  }

  get ledger(): Ledger {
    if (this.#ledger === null) throw new TypeError('the ledger is not open yet')
    return this.#ledger
  }

  get lastFrame(): number {
    return (this.#statements.last.get() as { frame: number | null }).frame ?? 0
  }

  /** Resolves once entry and piece are on disk. @throws {LedgerError}, and RangeError if a frame before is missing */
  async append({ frame, decisions, root }: FrameEntry, sealed: Uint8Array): Promise<void> {
    const entry = { type: 'payments.decided', frame, decisions, root: Buffer.from(root).toString('base64') }
    const values = [frame, ENTRY_INDEX, sealed, frame - 1]
    try {
      await this.ledger.append(entry, [{ sql: ADD_FRAME, values, expected: 1 }])
    } catch (error) {
      if (!(error instanceof ChangeRefused)) throw error
      throw new RangeError(`frame ${frame} does not follow frame ${this.lastFrame}`)
    }
  }

  piece(frame: number): Piece | undefined {
    return this.#statements.one.get(frame) as Piece | undefined
  }

  *pieces(): Iterable<Piece> {
    for (const row of this.#statements.all.iterate()) yield row as unknown as Piece
  }

  /** @throws {LedgerError} */
  async rootOf({ position, frame }: Piece): Promise<Uint8Array> {
    const { entry } = await this.ledger.entry(position)
    if (entry?.['frame'] !== frame || typeof entry['root'] !== 'string') {
      throw new RangeError(`entry ${position} of the ledger is not that of frame ${frame}`)
    }
    return Buffer.from(entry['root'], 'base64')
  }

  async close(): Promise<void> {
    await this.#ledger?.close()
    this.#db.close()
  }
}

function signingKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' })
}
