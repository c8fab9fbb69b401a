// The shared state as a desk has it: reads are of its own connection to the database, and everything else is asked of the
// thread that writes.

import type { DatabaseSync } from 'node:sqlite'
import type { Change } from '@casemate/ledger/node'
import type { JsonObject } from '../../json.ts'
import type { KeyDescription } from '../../keys/keys.ts'
import type { OpenLedger } from '../../open-ledger.ts'
import { createSqliteStore } from '../../store/sqlite.ts'
import type { SharedState } from '../shared-state.ts'
import type { Line } from './line.ts'
import type { LedgerQuestion, Writer } from './writer.ts'

/** What does not change while a broker runs. */
export interface LedgerFacts {
  readonly origin: string
  readonly verifierKey: string
  readonly key: KeyDescription
}

export interface AskedParts {
  readonly line: Line<Writer>
  readonly db: DatabaseSync
  readonly ledger: LedgerFacts
  readonly refusalBudget: number
}

export function askedState({ line, db, ledger, refusalBudget }: AskedParts): SharedState {
  const append = (entry: JsonObject, change: Change = []) => line.call('append', entry, change)
  return {
    store: createSqliteStore({ db, append }, refusalBudget),
    ledger: { ...questions(line), append, origin: ledger.origin, verifierKey: ledger.verifierKey },
    ledgerKey: ledger.key,
    kek: {
      wrap: (plaintext, context) => line.call('wrap', plaintext, context),
      unwrap: (wrapped, context) => line.call('unwrap', wrapped, context),
    },
    kekVersions: () => line.call('kekVersions'),
    rotation: {
      rotate: actor => line.call('rotate', actor),
      retire: (actor, version) => line.call('retire', actor, version),
    },
    wraps: { run: work => wrapping(line, work) },
    record: async entry => ({ index: (await append(entry)).index, value: null }),
  }
}

const QUESTIONS = [
  'checkpoint',
  'consistency',
  'currentSize',
  'entries',
  'entry',
  'entryBundle',
  'erase',
  'receipt',
  'tile',
] as const satisfies readonly LedgerQuestion[]

function questions(line: Line<Writer>): Pick<OpenLedger, LedgerQuestion> {
  const asked = QUESTIONS.map(question => [
    question,
    (...args: readonly unknown[]) => line.call('ask', question, args),
  ])
  return Object.fromEntries(asked) as Pick<OpenLedger, LedgerQuestion>
}

async function wrapping<T>(line: Line<Writer>, work: () => Promise<T>): Promise<T> {
  const number = await line.call('beginWraps')
  try {
    return await work()
  } finally {
    await line.call('endWraps', number)
  }
}
