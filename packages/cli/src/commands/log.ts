// casemate log: the record of every decision. Receipts and growth are checked here, on this machine, with nothing
// but the log's key; the broker is asked for data and believed in nothing.

import { fetchInfo } from '@casemate/client'
import { adminOf, brokerOf } from '../broker/connection.ts'
import { LIMIT_FLAG } from '../broker/paging.ts'
import { type Command, SERVER_FLAGS } from '../command.ts'
import { indexOf, showEntries, showEntry } from '../log/entries.ts'
import { checkGrowth, checkReceipt, fetchCheckpoint } from '../log/proofs.ts'
import { jsonLines } from '../terminal/printable.ts'

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
    run: checkReceipt,
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
    run: checkGrowth,
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
