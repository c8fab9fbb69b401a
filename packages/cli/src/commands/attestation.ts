// casemate attestation: what was accepted and what was refused, each with its reasons; guests are told a code only.

import { type Command, SERVER_FLAGS } from '../command.ts'
import { adminOf } from '../connection.ts'
import { explanationLines } from '../explanation.ts'
import { CliError } from '../failure.ts'
import { LIMIT_FLAG, listed, moreLines } from '../paging.ts'
import { cell, fields, table, time } from '../table.ts'

const VERDICTS = ['accepted', 'refused', 'any'] as const

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
      verdict: { value: 'VERDICT', summary: 'accepted, refused or any (default any)' },
    },
    examples: ['casemate attestation list --verdict refused'],
    run: async call => {
      const typed = call.option('verdict') ?? 'any'
      const verdict = VERDICTS.find(one => one === typed)
      if (verdict === undefined) {
        throw new CliError('flag-value-invalid', `--verdict is ${typed}`, {
          hint: `one of ${VERDICTS.join(', ')}`,
        })
      }
      const admin = adminOf(call)
      const listing = await listed(call, page => admin.attestations.list(verdict, page))
      const rows = listing.items.map(one => [
        one.id,
        time(one.at),
        cell(one.kind),
        one.verdict,
        cell(one.code),
      ])
      const lines = table(['id', 'at', 'kind', 'verdict', 'code'], rows, 'nothing has attested yet')
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
    examples: ['casemate attestation show 01JD…'],
    run: async call => {
      const [id = ''] = call.positionals
      const found = await adminOf(call).attestations.get(id)
      const head = fields([
        ['attestation', found.id],
        ['at', time(found.at)],
        ['ledger entry', cell(found.ledgerIndex)],
      ])
      const lines = [...head, '', ...explanationLines(found.explanation, call.terminal)]
      return { exitCode: 0, json: found, lines }
    },
  },
]
