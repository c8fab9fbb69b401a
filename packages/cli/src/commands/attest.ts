// casemate attest: the whole handshake of a workload, to see what the broker makes of it; simulated on a laptop.

import { KEY_TYPES } from '@casemate/client'
import { attestWith, openAttester } from '../attesting/attester.ts'
import { ATTESTER_FLAGS } from '../attesting/flags.ts'
import { type Command, SERVER_FLAGS } from '../command.ts'
import { cell, fields, time } from '../terminal/table.ts'
import { readWord } from '../typed/flag-values.ts'

export const ATTEST_COMMAND: Command = {
  words: ['attest'],
  summary: 'attest to the broker, as a simulated workload where there is no hardware',
  usage: '',
  minimum: 0,
  maximum: 0,
  flags: {
    server: SERVER_FLAGS.server,
    'ca-file': SERVER_FLAGS['ca-file'],
    ...ATTESTER_FLAGS,
    'key-type': {
      value: 'TYPE',
      takes: KEY_TYPES,
      summary: `the TEE’s key: ${KEY_TYPES.join(', ')} (default P-256)`,
    },
  },
  notes: [
    'Exit code 1 where the broker refuses. --json prints the token, checked against the broker’s keys.',
  ],
  examples: ['casemate attest', 'casemate attest --json'],
  run: async call => {
    const keyType = readWord('key-type', call.option('key-type') ?? 'P-256', KEY_TYPES)
    const { attester, simulated } = await openAttester(call)
    const { claims, token } = await attestWith(attester, call, keyType)
    const lines = fields([
      ['attested as', simulated ? `${attester.tee}, simulated` : attester.tee],
      ['status', cell(statusOf(claims))],
      ['issuer', cell(claims.iss)],
      ['attestation', cell(claims.jti)],
      ['valid until', time(new Date((claims.exp ?? 0) * 1000).toISOString())],
    ])
    return { exitCode: 0, json: { token, claims }, lines }
  },
}

function statusOf(claims: Readonly<Record<string, unknown>>): unknown {
  const submods = claims['submods'] as { cpu0?: Readonly<Record<string, unknown>> } | undefined
  return submods?.cpu0?.['ear.status']
}
