// casemate rule: who gets which secret, in CEL; `dry-run` says what past attestations would now get.

import { adminOf } from '../broker/connection.ts'
import { type DocumentKind, documentCommands, SET_FLAGS, storeDocument } from '../broker/document-commands.ts'
import { type Call, type Command, SERVER_FLAGS } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readObject, STDIN } from '../files/input-files.ts'
import { cell, tableOfIds, time } from '../terminal/table.ts'
import { countOf } from '../typed/flag-values.ts'

const RULES: DocumentKind = {
  noun: 'rule',
  plural: 'rules',
  documents: admin => admin.rules,
  example: 'demo',
  columns: ['secrets', 'expression', 'enabled'],
}

const RULE_FLAGS = {
  secrets: { value: 'PATTERN', summary: 'which secrets, e.g. default/db/*' },
  expression: { value: 'CEL', summary: 'must be true; over claims, result, secret and now' },
  message: { value: 'TEXT', summary: 'what an auditor reads where it denies' },
  disabled: { summary: 'store it without switching it on' },
}

export const RULE_COMMANDS: readonly Command[] = [
  ...documentCommands(RULES).map(command => (command.words[1] === 'set' ? setRule(command) : command)),
  {
    words: ['rule', 'dry-run'],
    summary: 'what past attestations would get from a rule, before it is switched on',
    usage: 'NAME [FILE]',
    minimum: 1,
    maximum: 2,
    flags: {
      ...SERVER_FLAGS,
      ...RULE_FLAGS,
      limit: { value: 'N', summary: 'how many of the newest attestations to try' },
    },
    notes: ['Exit code 1 where the rule fails to evaluate on any of them; a denial is no failure.'],
    examples: [
      'casemate rule dry-run db',
      `casemate rule dry-run db --secrets 'default/db/*' \\\n    --expression 'claims.kind == "tdx"'`,
    ],
    run: async call => {
      const [name = '', file] = call.positionals
      const limit = countOf(call, 'limit')
      const proposed = file === undefined && !ruleFlagGiven(call) ? null : await ruleFrom(call, file)
      const outcome = await adminOf(call).rules.dryRun(name, {
        ...(proposed === null ? {} : { rule: proposed as never }),
        ...(limit === null ? {} : { limit }),
      })
      return {
        exitCode: errs(outcome) ? 1 : 0,
        json: outcome,
        lines: dryRunTable(outcome, call.terminal.columns),
      }
    },
  },
]

function setRule(generic: Command): Command {
  return {
    ...generic,
    summary: 'create or replace one, from flags or from a file in YAML or JSON',
    flags: { ...SET_FLAGS, ...RULE_FLAGS },
    notes: [
      'Every enabled rule whose pattern matches a secret must be true for it to be released;',
      'where none matches, nothing is. A rule that fails to evaluate denies.',
    ],
    examples: [
      `casemate rule set db --secrets 'default/db/*' \\\n    --expression 'claims.kind == "tdx" && !claims.simulated'`,
      'casemate rule set db rule.yaml',
    ],
    run: async call => {
      const [name = '', file] = call.positionals
      return storeDocument(call, RULES, { name, document: await ruleFrom(call, file) })
    },
  }
}

function ruleFlagGiven(call: Call): boolean {
  return Object.keys(RULE_FLAGS).some(name => call.given(name))
}

async function ruleFrom(call: Call, file: string | undefined): Promise<Record<string, unknown>> {
  if (!ruleFlagGiven(call)) return readObject(file ?? STDIN, call)
  if (file !== undefined) {
    throw new CliError('argument-unexpected', `the rule comes from flags or from ${file}, not from both`, {
      hint: `leave out ${file}, or the flags`,
    })
  }
  const secrets = call.option('secrets')
  const expression = call.option('expression')
  if (secrets === null || expression === null) {
    const missing = secrets === null ? 'secrets' : 'expression'
    const { value, summary } = RULE_FLAGS[missing]
    throw new CliError('argument-missing', `a rule needs --${missing} ${value} as well`, {
      hint: `--${missing} ${value}: ${summary}`,
    })
  }
  const message = call.option('message')
  return { secrets, expression, ...(message === null ? {} : { message }), enabled: !call.given('disabled') }
}

/** Whether the rule failed to evaluate anywhere: a mistake in it, where a denial may be what was meant. */
function errs({ outcomes }: Readonly<Record<string, unknown>>): boolean {
  return typeof outcomes === 'object' && outcomes !== null && Number(Reflect.get(outcomes, 'error') ?? 0) > 0
}

function dryRunTable(outcome: Readonly<Record<string, unknown>>, columns: number | null): string[] {
  const items = Array.isArray(outcome['items']) ? outcome['items'] : []
  const rows = items.map((item: Record<string, unknown>) => [
    cell(item['attestationId']),
    typeof item['at'] === 'string' ? time(item['at']) : '-',
    cell(item['kind']),
    GETS.get(cell(item['outcome'])) ?? '-',
    cell(item['message']),
  ])
  const none = 'there is no accepted attestation yet to try the rule on'
  return tableOfIds(['attestation', 'at', 'kind', 'this rule', 'why'], rows, none, columns)
}

/** What an outcome of a rule means for whoever asks. */
const GETS: ReadonlyMap<string, string> = new Map([
  ['true', 'allows'],
  ['false', 'denies'],
  ['error', 'denies (error)'],
])
