// Events that anybody can cause as often as they like: counted, and recorded together once a minute, so that nobody
// fills the ledger with them. What is counted is lost if the process is killed before; what was recorded in full is not.

import { type Actor, type EntryType, entry } from './entry.ts'
import type { JsonObject } from './json.ts'

/** Different events told apart between two rounds; beyond that all others count as one of their type. */
const MAX_KINDS = 256

/** What all of the counted events have in common. */
export interface CountedEvent {
  readonly type: EntryType
  readonly actor: Actor
  readonly details: JsonObject
}

export class CountedEntries {
  readonly #record: (entry: JsonObject) => Promise<unknown>
  readonly #now: () => Date
  readonly #counts = new Map<string, { readonly event: CountedEvent; count: number }>()

  constructor(record: (entry: JsonObject) => Promise<unknown>, now: () => Date) {
    this.#record = record
    this.#now = now
  }

  add(event: CountedEvent): void {
    const isKnown = this.#counts.has(keyOf(event))
    const counted = isKnown || this.#counts.size < MAX_KINDS ? event : othersOf(event)
    const key = keyOf(counted)
    const found = this.#counts.get(key)
    if (found === undefined) this.#counts.set(key, { event: counted, count: 1 })
    else found.count++
  }

  /** Records what was counted since the last time. */
  async flush(): Promise<void> {
    const counts = Array.from(this.#counts)
    for (const [key, counted] of counts) {
      const { event, count } = counted
      const { type, actor, details } = event
      await this.#record(entry({ type, at: this.#now(), actor }, { ...details, count }))
      // More may have come meanwhile.
      counted.count -= count
      if (counted.count === 0) this.#counts.delete(key)
    }
  }
}

function othersOf({ type }: CountedEvent): CountedEvent {
  return { type, actor: { system: 'counting' }, details: { others: true } }
}

function keyOf(event: CountedEvent): string {
  return JSON.stringify(event)
}
