// casemate policy: what evidence has to be; `test` says what a policy would make of evidence, and why.

import { isPresetName } from '@casemate/appraisal'
import type { Explanation } from '@casemate/client'
import { attestationIdOf } from '../broker/attestation-id.ts'
import { adminOf } from '../broker/connection.ts'
import { base64, type Document, type DocumentKind, documentCommands } from '../broker/document-commands.ts'
import { type Call, type Command, SERVER_FLAGS } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readInput } from '../files/input-files.ts'
import { clip } from '../terminal/printable.ts'
import { cell } from '../terminal/table.ts'
import { explanationJson, explanationLines } from '../verify/explanation.ts'
import { type Lack, lackOf } from '../verify/undecided.ts'
import { timeOf } from '../verify/verify-files.ts'

/** The policy that decides where a guest attests. */
const HANDSHAKE_POLICY = 'default'

const POLICIES: DocumentKind = {
  noun: 'policy',
  plural: 'appraisal policies',
  documents: admin => admin.policies,
  example: HANDSHAKE_POLICY,
  columns: ['updated'],
  check: refuseName,
  naming: {
    set: name =>
      name === HANDSHAKE_POLICY
        ? ['it decides from now on, wherever a guest attests']
        : [
            `it decides nothing: guests are judged by ${HANDSHAKE_POLICY} alone; it is there to be tried, with`,
            `casemate policy test ${name} EVIDENCE; casemate policy set ${HANDSHAKE_POLICY} FILE puts one in force`,
          ],
    list: [
      '',
      `${HANDSHAKE_POLICY} decides where guests attest; until it is stored, the preset strict does`,
      'presets, to be read and tested by name: strict, standard',
    ],
  },
  afterDelete: name =>
    name === HANDSHAKE_POLICY
      ? 'warning: handshakes use it; until it is set again, the preset strict decides'
      : null,
}

/** What to do where the broker lacked a paper of the vendor's, and the refusal does not say it. */
const HINTS: Readonly<Record<Lack, string>> = {
  missing: '--endorsements PATH gives it for this question; a broker with offline: false fetches it',
  window: 'the collateral does not cover this time; --endorsements PATH gives one that does',
}

/** With what to do about a refusal that is undecided, where the broker does not say it. */
function hinted(explanation: Explanation): Explanation {
  const { refusal } = explanation
  const lack = refusal === null ? null : lackOf(refusal.code)
  if (refusal === null || lack === null || refusal.hint !== null) return explanation
  return { ...explanation, refusal: { ...refusal, hint: HINTS[lack] } }
}

/** A policy says its name itself, and the results that it leads to repeat it: two names would mislead, and a preset's. */
function refuseName({ name: own }: Document, name: string): void {
  if (isPresetName(name)) {
    throw new CliError('argument-unexpected', `${name} is the name of a preset, which nothing replaces`, {
      hint: `casemate policy set ${HANDSHAKE_POLICY} FILE puts the file in force, with \`extends: ${name}\` for what it does not state`,
    })
  }
  if (own === undefined || own === name) return
  throw new CliError(
    'file-malformed',
    `the policy calls itself ${clip(cell(own))}, and would be stored as ${name}`,
    { hint: `write name: ${name} into the file, or leave it out` },
  )
}

/** A past attestation is judged as of its own time. */
function atOf(call: Call): { readonly at?: string } {
  return call.option('at') === null ? {} : { at: timeOf(call).toISOString() }
}

async function endorsementsOf(call: Call): Promise<{ readonly endorsements?: readonly string[] }> {
  const paths = call.options('endorsements')
  if (paths.length === 0) return {}
  // Loaded when it is needed: the vendors' formats are most of the program.
  const { endorsementSourcesAt } = await import('../verify/endorsement-files.ts')
  const sources = endorsementSourcesAt(paths, call.terminal.note)
  return { endorsements: sources.map(({ bytes }) => base64(bytes)) }
}

export const POLICY_COMMANDS: readonly Command[] = [
  ...documentCommands(POLICIES),
  {
    words: ['policy', 'test'],
    summary: 'what the policy would make of a piece of evidence, or of a past attestation',
    usage: 'NAME [EVIDENCE]',
    minimum: 1,
    maximum: 2,
    flags: {
      ...SERVER_FLAGS,
      attestation: { value: 'ID', summary: 'a past attestation instead of a file' },
      at: { value: 'TIME', summary: 'judge the file as of then, e.g. 2025-06-30T12:00:00Z (default now)' },
      endorsements: {
        value: 'PATH',
        takes: 'files',
        summary: 'collateral for this question: files or directories',
        multiple: true,
      },
    },
    notes: [
      'Exit code 1 where the policy would refuse it, or where it is undecided. Nothing is released, and nothing is recorded as attested.',
    ],
    examples: [
      'casemate policy test default quote.bin',
      'casemate policy test default old.bin --endorsements papers/ --at 2025-06-30',
      'casemate policy test next --attestation 4f21c09b',
    ],
    run: async call => {
      const [name = '', file] = call.positionals
      const attestationId = call.option('attestation')
      if ((file === undefined) === (attestationId === null)) {
        throw new CliError('argument-missing', 'policy test needs either a file or --attestation', {
          hint: 'casemate policy test NAME EVIDENCE',
        })
      }
      if (attestationId !== null && call.given('at')) {
        throw new CliError(
          'argument-unexpected',
          '--at and --attestation: a past attestation has a time of its own',
        )
      }
      const given = await endorsementsOf(call)
      const admin = adminOf(call)
      const what =
        attestationId === null
          ? { evidence: base64(await readInput(file ?? '', call)), ...atOf(call) }
          : { attestationId: await attestationIdOf(admin, attestationId) }
      const explanation = hinted(
        await call.terminal.progress('appraising', admin.policies.test(name, { ...what, ...given })),
      )
      return {
        exitCode: explanation.verdict === 'accepted' ? 0 : 1,
        json: explanationJson(explanation),
        lines: explanationLines(explanation, call.terminal),
      }
    },
  },
]
