// What is appended to a ledger that is not open yet: its key is in the store, and the store appends to it.

import type { Ledger } from '@casemate/ledger/node'
import type { JsonObject } from '../json.ts'
import type { Append } from './sqlite-parts.ts'
import type { Recorded } from './store.ts'

export class LedgerToCome {
  #ledger: Pick<Ledger, 'append'> | null = null

  /** From now on appends are its own. */
  come(ledger: Pick<Ledger, 'append'>): void {
    this.#ledger = ledger
  }

  readonly append: Append = async (entry, change) => {
    if (this.#ledger === null) throw new TypeError('the ledger is not open yet')
    return this.#ledger.append(entry, change)
  }

  /** Appends an entry that no change of the store goes with. */
  readonly record = async (entry: JsonObject): Promise<Recorded<null>> => {
    return { index: (await this.append(entry, [])).index, value: null }
  }
}
