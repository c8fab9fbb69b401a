// A write transaction of this process's own, once no other process writes. SQLite would wait with the event loop standing
// still; here that goes on between one try and the next. From BEGIN to COMMIT there is no await: nobody reads on this
// connection what is not committed.
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { pragma } from './database.ts'
import type { SqliteStatements } from './sqlite-statements.ts'
import { isBusy } from './storage-failure.ts'

/** One in each turn of the event loop: the commit of another process is over after a few, and whoever waits for it is idle. */
const TRIES_AT_ONCE = 100
/** Between later tries: whatever holds the database for longer, such as a backup, costs no core. */
const PAUSE_MS = 5

type Attempt<T> = { readonly result: T } | { readonly busy: unknown }

export class WriteTurn {
  readonly #db: DatabaseSync
  readonly #statements: SqliteStatements
  readonly #elapsedMs: () => number
  /** As the connection was opened: it is also how long whatever else is done on it waits. */
  readonly #timeoutMs: number

  /** @param elapsedMs of a clock that nobody sets */
  constructor(db: DatabaseSync, statements: SqliteStatements, elapsedMs: () => number) {
    this.#db = db
    this.#statements = statements
    this.#elapsedMs = elapsedMs
    this.#timeoutMs = Number(pragma(db, 'busy_timeout'))
  }

  /** Rejects with what `work` throws, and with what SQLite says of a database that somebody else still holds after so long. */
  async take<T>(work: () => T, withinMs = this.#timeoutMs): Promise<T> {
    const begunMs = this.#elapsedMs()
    for (let tries = 1; ; tries++) {
      const attempt = this.#attempt(work)
      if ('result' in attempt) return attempt.result
      if (this.#elapsedMs() - begunMs >= withinMs) throw attempt.busy
      await (tries < TRIES_AT_ONCE ? nextTurn() : pause(PAUSE_MS))
    }
  }

  #attempt<T>(work: () => T): Attempt<T> {
    let isBegun = false
    this.#db.exec('PRAGMA busy_timeout = 0')
    try {
      const result = this.#statements.inTransaction('begin', () => {
        isBegun = true
        this.#beAsPatientAsBefore()
        return work()
      })
      return { result }
    } catch (error) {
      if (!isBegun) this.#beAsPatientAsBefore()
      if (isBegun || !isBusy(error)) throw error
      return { busy: error }
    }
  }

  #beAsPatientAsBefore(): void {
    this.#db.exec(`PRAGMA busy_timeout = ${this.#timeoutMs}`)
  }
}
