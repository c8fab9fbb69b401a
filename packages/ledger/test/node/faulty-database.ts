// A database that fails at one call: once, as a full disk does, or from then on, as for a process that has died.
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

export interface Fault {
  /** The call that fails, counted from 0. */
  readonly at: number
  /** Whether the failing call has its effect all the same: a process can die before or after it. */
  readonly isAfter: boolean
  readonly isForGood: boolean
  /** SQLite's result code. */
  readonly errcode: number
}

/** Stands in for what the ledger uses of a DatabaseSync; `calls` counts them. */
export class FaultyDatabase {
  calls = 0
  hasFailed = false
  readonly #real: DatabaseSync
  #fault: Fault | null = null

  constructor(real: DatabaseSync) {
    this.#real = real
  }

  /** As what the ledger takes. */
  get db(): DatabaseSync {
    return this as unknown as DatabaseSync
  }

  arm(fault: Fault | null): void {
    this.#fault = fault
    this.calls = 0
    this.hasFailed = false
  }

  prepare(sql: string): StatementSync {
    const statement = this.#real.prepare(sql)
    const faulty = {
      run: (...values: SQLInputValue[]) => this.#call(() => statement.run(...values)),
      get: (...values: SQLInputValue[]) => this.#call(() => statement.get(...values)),
      all: (...values: SQLInputValue[]) => this.#call(() => statement.all(...values)),
      columns: () => statement.columns(),
    }
    return faulty as unknown as StatementSync
  }

  exec(sql: string): void {
    this.#call(() => this.#real.exec(sql))
  }

  location(): string | null {
    return this.#real.location()
  }

  get isTransaction(): boolean {
    return this.#real.isTransaction
  }

  #call<T>(act: () => T): T {
    const at = this.calls++
    const fault = this.#fault
    if (fault === null || at < fault.at || (at > fault.at && !fault.isForGood)) return act()
    this.hasFailed = true
    if (at === fault.at && fault.isAfter) act()
    throw Object.assign(new Error(`simulated failure at call ${at}`), { errcode: fault.errcode })
  }
}
