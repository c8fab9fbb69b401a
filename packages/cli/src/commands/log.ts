// casemate log: the record of every decision. Receipts and growth are checked here, on this machine, with nothing
// but the log's key; the broker is asked for data and believed in nothing.

import {
  type Admin,
  fetchInfo,
  fetchPublic,
  type LedgerEntry,
  type Page,
  type PageRequest,
} from '@casemate/client'
import {
  consistencyFromTiles,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  verifyConsistency,
  verifyReceipt,
} from '@casemate/ledger'
import { attestationIdOf } from '../broker/attestation-id.ts'
import { adminOf, brokerOf } from '../broker/connection.ts'
import { denialLines } from '../broker/denial.ts'
import { entrySubject } from '../broker/entry-subject.ts'
import { firstOf, LIMIT_FLAG, limitOf, moreLines } from '../broker/paging.ts'
import { type Answer, type Call, type Command, SERVER_FLAGS } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readBytes, readObject } from '../files/input-files.ts'
import { mark } from '../terminal/marks.ts'
import { jsonLines } from '../terminal/printable.ts'
import { cell, fields, shortIds, table, time } from '../terminal/table.ts'

const KEY_FLAG = {
  key: { value: 'KEY', summary: 'the log’s key, name+hash+base64, or a file with it' },
} as const

const SERVER_ONLY = { server: SERVER_FLAGS.server, 'ca-file': SERVER_FLAGS['ca-file'] }

export const LOG_COMMANDS: readonly Command[] = [
  {
    words: ['log', 'show'],
    summary: 'read the entries, newest first, or one of them in full',
    usage: '[INDEX]',
    minimum: 0,
    maximum: 1,
    flags: {
      ...SERVER_FLAGS,
      ...LIMIT_FLAG,
      attestation: { value: 'ID', summary: 'only what this guest was given or denied; as lists print it' },
    },
    examples: ['casemate log show', 'casemate log show 12', 'casemate log show --attestation 4f21c09b'],
    run: call => (call.positionals.length === 0 ? showEntries(call) : showEntry(call)),
  },
  {
    words: ['log', 'receipt'],
    summary: 'fetch the receipt of an entry: one file that proves that it is in the log',
    usage: 'INDEX',
    minimum: 1,
    maximum: 1,
    flags: SERVER_FLAGS,
    examples: ['casemate log receipt 12 > receipt.json'],
    run: async call => {
      const index = indexOf(call)
      const receipt = await adminOf(call).ledger.receipt(index)
      return { exitCode: 0, json: receipt, lines: jsonLines(receipt) }
    },
  },
  {
    words: ['log', 'verify'],
    summary: 'check a receipt, offline',
    usage: 'RECEIPT',
    minimum: 1,
    maximum: 1,
    flags: KEY_FLAG,
    notes: ['Take the key from where you trust it to be: whoever chooses the key chooses the answer.'],
    examples: ['casemate log key > log.key', 'casemate log verify receipt.json --key log.key'],
    run: verifyCommand,
  },
  {
    words: ['log', 'check'],
    summary: 'prove that the log has only grown since an old checkpoint',
    usage: '',
    minimum: 0,
    maximum: 0,
    flags: {
      ...SERVER_ONLY,
      ...KEY_FLAG,
      since: { value: 'CHECKPOINT', summary: 'the old checkpoint, a file' },
    },
    notes: [
      'Anyone can: the proof is made from the log’s public tiles, and no token is needed.',
      'Keep a checkpoint from time to time: two that contradict each other prove that the log was rewritten.',
    ],
    examples: [
      'casemate log checkpoint > checkpoint.txt',
      'casemate log check --since checkpoint.txt --key log.key',
    ],
    run: checkCommand,
  },
  {
    words: ['log', 'checkpoint'],
    summary: 'print the log’s present checkpoint, a signed note to be kept',
    usage: '',
    minimum: 0,
    maximum: 0,
    flags: SERVER_ONLY,
    examples: ['casemate log checkpoint > checkpoint.txt'],
    run: async call => {
      const checkpoint = await fetchCheckpoint(call)
      return { exitCode: 0, json: { checkpoint }, lines: checkpoint.trimEnd().split('\n') }
    },
  },
  {
    words: ['log', 'key'],
    summary: 'print the log’s public key, to be compared over another way',
    usage: '',
    minimum: 0,
    maximum: 0,
    flags: SERVER_ONLY,
    examples: ['casemate log key > log.key'],
    run: async call => {
      const { ledgerKey: key } = await fetchInfo(brokerOf(call))
      return { exitCode: 0, json: { key }, lines: [key] }
    },
  },
]

/** The text of the log's present checkpoint: shaped like one, its signature not yet checked. @throws {LedgerError} */
async function fetchCheckpoint(call: Call): Promise<string> {
  const note = new TextDecoder().decode(await fetchPublic(brokerOf(call), '/log/checkpoint'))
  // What a proxy or another server says must not be kept as a checkpoint.
  parseCheckpoint(parseNote(note).text)
  return note
}

async function showEntries(call: Call): Promise<Answer> {
  const limit = limitOf(call)
  const admin = adminOf(call)
  const newest = (page: PageRequest) => admin.ledger.entries({ ...page, order: 'desc' })
  const typed = call.option('attestation')
  const read = typed === null ? newest : await entriesOf(admin, await attestationIdOf(admin, typed), newest)
  const listing = await firstOf(limit, read)
  const rows = listing.items.map(({ index, timestamp, entry, erasedBy }) =>
    entry === null
      ? [String(index), time(timestamp), '(erased)', '-', `by entry ${erasedBy}`]
      : [
          String(index),
          time(timestamp),
          cell(entry['type']),
          shortIds(who(entry['actor'])),
          shortIds(entrySubject(entry)),
        ],
  )
  const headings = ['index', 'at', 'what', 'who', 'about']
  const lines = table(headings, rows, 'the log has no entries', call.terminal.columns)
  return { exitCode: 0, json: listing, lines: [...lines, ...moreLines(listing)] }
}

type ReadEntries = (page: PageRequest) => Promise<Page<LedgerEntry>>

/** The same pages with one attestation's entries only; they end where it began, however old the log is. */
async function entriesOf(admin: Admin, id: string, read: ReadEntries): Promise<ReadEntries> {
  const { ledgerIndex } = await admin.attestations.get(id)
  const first = ledgerIndex ?? 0
  return async page => {
    const { items, next } = await read(page)
    const last = items.at(-1)
    const mine = items.filter(({ entry }) => isActor(entry?.['actor'], id))
    return { items: mine, next: last === undefined || last.index <= first ? null : next }
  }
}

function isActor(actor: unknown, id: string): boolean {
  return typeof actor === 'object' && actor !== null && Reflect.get(actor, 'attestation') === id
}

/** A token's name, an attestation's id, or the broker itself. */
function who(actor: unknown): string {
  if (typeof actor !== 'object' || actor === null) return '-'
  const { name, attestation, system } = actor as Record<string, unknown>
  return cell(name ?? attestation ?? system)
}

async function showEntry(call: Call): Promise<Answer> {
  const index = indexOf(call)
  const ofList = ['attestation', 'limit'].find(name => call.given(name))
  if (ofList !== undefined) {
    throw new CliError('argument-unexpected', `--${ofList} is about many entries, and ${index} is one`, {
      hint: `casemate log show ${index}, or leave ${index} out`,
    })
  }
  const entry = await adminOf(call).ledger.entry(index)
  const told = entry.entry === null ? [] : denialLines(entry.entry)
  return { exitCode: 0, json: entry, lines: [...jsonLines(entry), ...told] }
}

function indexOf(call: Call): number {
  const [typed = ''] = call.positionals
  if (/^\d{1,15}$/.test(typed)) return Number(typed)
  throw new CliError('argument-unexpected', `the index is ${typed}, want a whole number from 0 on`)
}

async function verifyCommand(call: Call): Promise<Answer> {
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
      ['who', who(entry['actor'])],
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

async function checkCommand(call: Call): Promise<Answer> {
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
