// Proofs about the log, made on this machine with nothing but its key: of a receipt, and that it has only grown.

import { fetchPublic } from '@casemate/client'
import {
  consistencyFromTiles,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  verifyConsistency,
  verifyReceipt,
} from '@casemate/ledger'
import { brokerOf } from '../broker/connection.ts'
import type { Answer, Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readBytes, readObject } from '../files/input-files.ts'
import { mark } from '../terminal/marks.ts'
import { cell, fields, time } from '../terminal/table.ts'
import { entryActor, entrySubject } from './entry-cells.ts'

/** The text of the log's present checkpoint: shaped like one, its signature not yet checked. @throws {LedgerError} */
export async function fetchCheckpoint(call: Call): Promise<string> {
  const note = new TextDecoder().decode(await fetchPublic(brokerOf(call), '/log/checkpoint'))
  // What a proxy or another server says must not be kept as a checkpoint.
  parseCheckpoint(parseNote(note).text)
  return note
}

/** `log verify`: a receipt, offline. @throws {LedgerError} */
export async function checkReceipt(call: Call): Promise<Answer> {
  const [file = ''] = call.positionals
  const key = keyOf(call)
  const verified = await verifyReceipt(await readObject(file, call), { key })
  const { entry, index, timestamp, checkpoint } = verified
  const { palette } = call.terminal
  const lines = [
    mark(true, 'the entry, its salt and its time give the leaf', palette),
    mark(true, `the leaf is number ${index} of the ${checkpoint.size} under the checkpoint’s root`, palette),
    mark(true, `the checkpoint is signed by ${checkpoint.origin}`, palette),
    '',
    ...fields([
      ['what', cell(entry['type'])],
      ['at', time(timestamp.toISOString())],
      ['who', entryActor(entry['actor'])],
      ['about', entrySubject(entry)],
    ]),
    '',
    `Verdict: ${palette.green('proved')}, this entry is in the log as it stands here`,
  ]
  const json = {
    proved: true,
    index,
    timestamp: timestamp.toISOString(),
    entry,
    checkpoint: { origin: checkpoint.origin, size: checkpoint.size },
  }
  return { exitCode: 0, json, lines }
}

/** `log check`: the log of now begins with that of then. @throws {LedgerError} @throws {CliError} proof-invalid */
export async function checkGrowth(call: Call): Promise<Answer> {
  const since = call.option('since')
  if (since === null) throw sinceMissing(call.option('key') === null)
  const key = keyOf(call)
  const old = new TextDecoder().decode(readBytes(since))
  // Both signatures are checked before anything is read for two sizes that anyone could have written.
  const verifier = await parseVerifierKey(key)
  const from = await openCheckpoint(old, { key: verifier, origin: verifier.name })
  const now = await fetchCheckpoint(call)
  const to = await openCheckpoint(now, { key: verifier, origin: verifier.name })
  if (to.size < from.size) {
    throw new CliError('proof-invalid', `the log now has ${to.size} entries, and had ${from.size}`, {
      hint: 'the broker was set back to an older state; what came after is not in its log any more',
    })
  }
  // Whoever reads the tiles need not be known to the broker, and need not believe it.
  const readTile = (path: string): Promise<Uint8Array> => fetchPublic(brokerOf(call), `/log/${path}`)
  const making = consistencyFromTiles({ from: from.size, to: to.size }, readTile)
  await verifyConsistency({
    from,
    to,
    proof: await call.terminal.progress('reading tiles of the log', making),
  })
  const { palette } = call.terminal
  const lines = [
    mark(true, `both checkpoints are signed by ${verifier.name}`, palette),
    mark(true, `the ${to.size} entries of now begin with the ${from.size} of then`, palette),
    '',
    `Verdict: ${palette.green('consistent')}, nothing was removed or changed, ${to.size - from.size} added`,
  ]
  const json = { consistent: true, from: from.size, to: to.size, added: to.size - from.size }
  return { exitCode: 0, json, lines }
}

function sinceMissing(keyToo: boolean): CliError {
  const what = `--since, an old checkpoint${keyToo ? ', and --key, the log’s key' : ''}`
  return new CliError('argument-missing', `log check needs ${what}`, {
    hint: 'casemate log check --since CHECKPOINT --key KEY; casemate log check --help tells more',
  })
}

/** `--key`, typed out or as a file; never fetched from the log that it is to judge. */
function keyOf(call: Call): string {
  const typed = call.option('key')
  if (typed === null) {
    throw new CliError('argument-missing', 'the log’s key is needed: --key', {
      hint: 'casemate log key prints it; keep it from a moment when you trust the broker',
    })
  }
  if (/^[^+]+\+[0-9a-f]{8}\+/.test(typed)) return typed
  const bytes = readBytes(typed)
  const text = new TextDecoder().decode(bytes).trim()
  // What is in the file is not shown: it may be a token, or a key that is no public one.
  if (/^[^+\s]{1,200}\+[0-9a-f]{8}\+[\w+/=]{1,100}$/.test(text)) return text
  throw new CliError('file-malformed', `${typed} (${bytes.length} bytes) holds no verifier key`, {
    hint: 'want one line, name+hash+base64: casemate log key prints it',
  })
}
