// casemate policy: what evidence has to be; `test` says what a policy would make of evidence, and why.

import { type Admin, BrokerRefusal, type Explanation } from '@casemate/client'
import { type Command, SERVER_FLAGS } from '../command.ts'
import { adminOf } from '../connection.ts'
import {
  base64,
  type Document,
  type DocumentKind,
  documentCommands,
  type Place,
} from '../document-commands.ts'
import { explanationLines } from '../explanation.ts'
import { CliError } from '../failure.ts'
import { readInput } from '../files.ts'
import { clip } from '../printable.ts'
import { cell } from '../table.ts'

/** The policy that decides where a guest attests. */
const HANDSHAKE_POLICY = 'default'

const POLICIES: DocumentKind = {
  noun: 'policy',
  plural: 'appraisal policies',
  documents: admin => admin.policies,
  columns: ['updated'],
  complete: named,
  afterDelete: name =>
    name === HANDSHAKE_POLICY
      ? 'warning: handshakes use it; until it is set again, the preset strict decides'
      : null,
}

/** A policy says its name itself, and the results that it leads to repeat it: two names would mislead. */
async function named(document: Document, { name, admin }: Place): Promise<Document> {
  const { name: own = name, version } = document
  if (own !== name) {
    throw new CliError(
      'file-malformed',
      `the policy calls itself ${clip(cell(own))}, and would be stored as ${name}`,
      {
        hint: `write name: ${name} into the file, or leave it out`,
      },
    )
  }
  if (version !== undefined) return { ...document, name }
  return { ...document, name, version: await nextVersion(name, admin) }
}

/** Counts up by one with every change, from 1 on. */
async function nextVersion(name: string, admin: Admin): Promise<number> {
  try {
    const { version } = (await admin.policies.get(name)).document
    return typeof version === 'number' ? version + 1 : 1
  } catch (error) {
    if (error instanceof BrokerRefusal && error.code === 'policy-missing') return 1
    throw error
  }
}

export const POLICY_COMMANDS: readonly Command[] = [
  ...documentCommands(POLICIES),
  {
    words: ['policy', 'test'],
    summary: 'what the policy would make of a piece of evidence, or of a past attestation',
    usage: 'NAME [EVIDENCE]',
    minimum: 1,
    maximum: 2,
    flags: { ...SERVER_FLAGS, attestation: { value: 'ID', summary: 'a past attestation instead of a file' } },
    notes: [
      'Exit code 1 where the policy would refuse it. Nothing is released, and nothing is recorded as attested.',
    ],
    examples: ['casemate policy test default quote.bin', 'casemate policy test next --attestation 01JD…'],
    run: async call => {
      const [name = '', file] = call.positionals
      const attestationId = call.option('attestation')
      if ((file === undefined) === (attestationId === null)) {
        throw new CliError('argument-missing', 'policy test needs either a file or --attestation', {
          hint: 'casemate policy test NAME EVIDENCE',
        })
      }
      const what =
        attestationId === null ? { evidence: base64(await readInput(file ?? '', call)) } : { attestationId }
      const explanation: Explanation = await call.terminal.progress(
        'appraising',
        adminOf(call).policies.test(name, what),
      )
      const lines = explanationLines(explanation, call.terminal)
      return { exitCode: explanation.verdict === 'accepted' ? 0 : 1, json: explanation, lines }
    },
  },
]
