// How a broker begins: with all that was there or, asked for by name, without some of it. What is missing is put on
// record, and the places of entries that were lost are filled, so that no index and no size ever means two things.

import type { Ledger, Mark } from '@casemate/ledger/node'
import { type EntryHead, entry } from '../entry.ts'
import type { JsonObject } from '../json.ts'

/** `restoredAt`: the log has that many entries, and is known to be that of a backup. */
export type Beginning = 'as-it-was' | 'anew' | { readonly restoredAt: number }

/** Entries that are filled in at once. */
const CHUNK = 4096

/**
 * `kept` is the mark from before the log was opened. The record is asked for before this returns: where it is the first
 * append, it is in the first batch, and no mark says that all is well before what was lost is on record.
 */
export async function recordBeginning(
  ledger: Ledger,
  beginning: Beginning,
  { kept, now }: { readonly kept: Mark | null; readonly now: () => Date },
): Promise<void> {
  if (beginning === 'as-it-was') return
  const head = (type: EntryHead['type']): EntryHead => ({ type, at: now(), actor: { system: 'start' } })
  const mark = kept === null ? null : describe(kept)
  if (beginning === 'anew') {
    await ledger.append(entry(head('ledger.begun-anew'), { mark }))
    return
  }
  const from = ledger.size
  const lost = kept?.verifierKey === ledger.verifierKey ? Math.max(0, kept.size - from) : null
  await ledger.append(entry(head('ledger.restored'), { entries: from, lost, mark }))
  const filler = entry(head('ledger.lost'), { restoredBy: from })
  while (ledger.size <= from + (lost ?? 0)) {
    const missing = from + (lost ?? 0) + 1 - ledger.size
    await Promise.all(Array.from({ length: Math.min(CHUNK, missing) }, () => ledger.append(filler)))
  }
}

function describe({ verifierKey, size, root }: Mark): JsonObject {
  return { log: verifierKey, size, root: Buffer.from(root).toString('base64') }
}
