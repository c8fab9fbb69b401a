// casemate attestation: what was accepted and what was refused, each with its reasons; guests are told a code only.

import type { AttestationFilter } from '@casemate/client'
import { KINDS } from '@casemate/evidence'
import { attestationIdOf } from '../broker/attestation-id.ts'
import { adminOf } from '../broker/connection.ts'
import { LIMIT_FLAG, listed, moreLines } from '../broker/paging.ts'
import { type Call, type Command, SERVER_FLAGS } from '../command.ts'
import { inWords } from '../kinds/kinds.ts'
import { cell, fields, tableOfIds, time } from '../terminal/table.ts'
import { readWord } from '../typed/flag-values.ts'
import { claimLines, differenceLines } from '../verify/claim-lines.ts'
import { explanationJson, explanationLines } from '../verify/explanation.ts'

/** By flag, what of an attestation it has to be. */
const FILTER_FLAGS = {
  kind: { value: 'KIND', takes: KINDS, summary: inWords(KINDS) },
  code: { value: 'CODE', summary: 'why it was refused, e.g. appraisal-refused' },
  workload: { value: 'NAME', summary: 'the known workload that it was' },
  measurement: { value: 'HEX', summary: 'the code that ran, or the beginning of its measurement' },
  client: { value: 'ADDRESS', summary: 'where the guest came from' },
} as const

/** What a list shows of a measurement, and of an id: enough to tell it from its neighbours. */
const SHOWN_HEX = 12

const VERDICTS = ['any', 'accepted', 'refused'] as const

export const ATTESTATION_COMMANDS: readonly Command[] = [
  {
    words: ['attestation', 'list'],
    summary: 'list past attestations, newest first',
    usage: '',
    minimum: 0,
    maximum: 0,
    flags: {
      ...SERVER_FLAGS,
      ...LIMIT_FLAG,
      ...FILTER_FLAGS,
      verdict: { value: 'VERDICT', takes: VERDICTS, summary: 'accepted, refused or any (default any)' },
    },
    examples: [
      'casemate attestation list --verdict refused',
      'casemate attestation list --kind tdx --client 192.0.2.7',
    ],
    run: async call => {
      const verdict = readWord('verdict', call.option('verdict'), VERDICTS)
      const admin = adminOf(call)
      const filter = filterOf(call)
      const listing = await listed(call, page => admin.attestations.list(verdict, page, filter))
      const rows = listing.items.map(one => [
        one.id,
        time(one.at),
        cell(one.kind),
        one.verdict,
        cell(one.code),
        cell(one.workload),
        cell(one.client),
        cell(one.measurement?.slice(0, SHOWN_HEX)),
      ])
      const none = Object.keys(filter).length === 0 ? 'nothing has attested yet' : 'nothing is so'
      const headings = ['id', 'at', 'kind', 'verdict', 'code', 'workload', 'client', 'measurement']
      const lines = tableOfIds(headings, rows, none, call.terminal.columns)
      return { exitCode: 0, json: listing, lines: [...lines, ...moreLines(listing)] }
    },
  },
  {
    words: ['attestation', 'show'],
    summary: 'why one was accepted or refused',
    usage: 'ID',
    minimum: 1,
    maximum: 1,
    flags: SERVER_FLAGS,
    notes: ['An ID may be typed as lists shorten it: its last eight characters.'],
    examples: [
      'casemate attestation show 019a4c1e-77b0-7d3c-9a52-6c1e4f21c09b',
      'casemate attestation show 4f21c09b',
    ],
    run: async call => {
      const [id = ''] = call.positionals
      const admin = adminOf(call)
      const found = await admin.attestations.get(await attestationIdOf(admin, id))
      const head = fields([
        ['attestation', found.id],
        ['at', time(found.at)],
        ['client', cell(found.client)],
        ['ledger entry', cell(found.ledgerIndex)],
      ])
      const lines = [
        ...head,
        '',
        ...explanationLines(found.explanation, call.terminal),
        ...differenceLines(found.explanation.result),
        ...claimLines(found.explanation),
      ]
      return { exitCode: 0, json: { ...found, explanation: explanationJson(found.explanation) }, lines }
    },
  },
]

/** @throws {CliError} flag-value-invalid for a word of a closed list: elsewhere one that is mistyped is nobody's */
function filterOf(call: Call): AttestationFilter {
  const kind = call.option('kind')
  if (kind !== null) readWord('kind', kind, KINDS)
  const given = Object.keys(FILTER_FLAGS).map(name => [name, call.option(name)] as const)
  return Object.fromEntries(given.filter(([, value]) => value !== null))
}
