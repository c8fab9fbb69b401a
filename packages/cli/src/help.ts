// The help, from the table: all commands, one group, or one command with its flags and examples.

import { nearest } from '@casemate/evidence'
import { type Command, type Flag, type Flags, flagsOf, nameOf } from './command.ts'
import { allCommands } from './commands.ts'
import { CliError } from './failure.ts'
import { wrap } from './marks.ts'
import type { Palette } from './terminal.ts'

/** The chapters of the overview: first words of commands, in the order in which one needs them, with what they are for. */
const CHAPTERS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  [
    'Start here',
    {
      demo: 'the main job in half a minute, leaving nothing behind',
      up: 'start the broker; with --tour it shows the main job first',
    },
  ],
  [
    'Evidence',
    {
      verify: 'say what a quote or report is, and why it is or is not to be trusted',
      platform: 'which hardware gives evidence here, and what is missing',
      attest: 'attest to a broker, simulated where there is no hardware',
      attestation: 'past attestations, accepted and refused, each with its reasons',
    },
  ],
  [
    'What is released, and to whom',
    {
      secret: 'what workloads need, such as keys and passwords',
      policy: 'which evidence is accepted',
      reference: 'which code is known',
      rule: 'who gets which secret',
    },
  ],
  [
    'Enclaves',
    {
      enclave: 'measured code: built, signed, inspected, run',
      seal: 'encrypt a file so that one enclave alone opens it',
      unseal: 'open a sealed file',
      reseal: 'move sealed files to another root, version or policy',
      bench: 'what each layer of protection costs on this machine',
    },
  ],
  [
    'Workloads',
    {
      run: 'a command with secrets in its environment, for as long as the broker allows it',
      agent: 'secrets, tokens and evidence for the software of a guest, at 127.0.0.1:8006',
    },
  ],
  ['The record', { log: 'every decision, provable to anyone' }],
  [
    'Running it',
    {
      token: 'administrators’ access',
      key: 'the broker’s own keys, and their rotation',
      config: 'effective settings, and where each comes from',
    },
  ],
]

/** The help for what was asked. @throws {CliError} unknown-command */
export async function helpFor(words: readonly string[], palette: Palette): Promise<string[]> {
  const commands = await allCommands()
  if (words.length === 0) return overview(commands, palette)
  const exact = commands.find(command => nameOf(command) === words.join(' '))
  if (exact !== undefined) return commandHelp(exact, await flagsOf(exact), palette)
  const group = commands.filter(command => command.words[0] === words[0])
  if (group.length > 0 && words.length === 1) return groupHelp(words[0] ?? '', group, palette)
  const known = commands.flatMap(command => [nameOf(command), command.words[0]])
  const near = nearest(words.join(' '), known)
  throw new CliError('unknown-command', `there is no command ${words.join(' ')}`, {
    hint: near === null ? 'casemate --help' : `did you mean: casemate help ${near}`,
  })
}

function overview(commands: readonly Command[], palette: Palette): string[] {
  const lines = [
    `${palette.bold('casemate')}  prove what runs, release keys to it, keep the record`,
    '',
    'Usage: casemate COMMAND [ARGUMENTS] [--json]',
  ]
  const chapters = CHAPTERS.map(([title, firsts]) => [title, overviewRows(firsts, commands)] as const)
  const width = widthOf(chapters.flatMap(([, rows]) => rows))
  for (const [title, rows] of chapters) {
    lines.push('', palette.bold(title), ...table(rows, width))
  }
  lines.push(
    '',
    'casemate COMMAND --help tells more.',
    'Exit codes: 0 ok, 1 refused, 2 usage, 3 unavailable.',
  )
  return lines
}

/** `secret put|get|list|delete` with what secrets are for. */
function overviewRows(
  firsts: Readonly<Record<string, string>>,
  commands: readonly Command[],
): (readonly [string, string])[] {
  return Object.entries(firsts).map(([first, summary]) => {
    const verbs = commands.filter(({ words }) => words[0] === first).flatMap(({ words }) => words.slice(1))
    return [verbs.length === 0 ? first : `${first} ${verbs.join('|')}`, summary]
  })
}

function groupHelp(first: string, group: readonly Command[], palette: Palette): string[] {
  return [
    palette.bold(`casemate ${first}`),
    '',
    ...table(group.map(command => [`${nameOf(command)} ${command.usage}`.trimEnd(), command.summary])),
    '',
    `casemate ${first} VERB --help tells more.`,
  ]
}

function commandHelp(command: Command, flags: Flags, palette: Palette): string[] {
  const lines = [
    ...title(`casemate ${nameOf(command)}`, command.summary, palette),
    '',
    `Usage: casemate ${nameOf(command)} ${command.usage}`.trimEnd(),
    '',
    palette.bold('Flags'),
    ...table(Object.entries(flags).map(([name, flag]) => [flagUsage(name, flag), flag.summary])),
  ]
  if (command.notes !== undefined) lines.push('', ...paragraphs(command.notes))
  if (command.terms !== undefined) lines.push('', palette.bold('Terms'), ...table(command.terms))
  if (command.examples.length > 0) {
    lines.push('', palette.bold('Examples'), ...command.examples.flatMap(exampleLines))
  }
  return lines
}

function flagUsage(name: string, flag: Flag): string {
  return `--${name}${flag.value === undefined ? '' : ` ${flag.value}`}${flag.multiple ? ' ...' : ''}`
}

type Rows = readonly (readonly [string, string])[]

/** Columns of the help, on every screen and in a file: it is short enough to be laid out once. */
const COLUMNS = 80
/** A first column above this stands on a line of its own, so that it does not push the second off the screen. */
const MAX_LEFT = 34

/** Columns of the widest first column that shares its line. */
function widthOf(rows: Rows): number {
  return Math.max(0, ...rows.map(([left]) => left.length).filter(length => length <= MAX_LEFT))
}

/** Rows of two columns, the second wrapped. */
function table(rows: Rows, width = widthOf(rows)): string[] {
  const margin = ' '.repeat(width + 4)
  return rows.flatMap(([left, right]) => {
    const [first = '', ...rest] = wrap(right, COLUMNS - margin.length)
    const head = left.length > width ? [`  ${left}`, margin + first] : [`  ${left.padEnd(width)}  ${first}`]
    return [...head, ...rest.map(line => margin + line)]
  })
}

function title(name: string, summary: string, palette: Palette): string[] {
  const [first = '', ...rest] = wrap(`${name}  ${summary}`, COLUMNS)
  return [palette.bold(name) + first.slice(name.length), ...rest.map(line => `  ${line}`)]
}

/** Notes as they stand in the table, filled anew; a line that ends a sentence ends a paragraph. */
function paragraphs(notes: readonly string[]): string[] {
  const texts = notes.join('\n').split(/(?<=\.)\n/)
  return texts.flatMap(text => wrap(text.replaceAll('\n', ' '), COLUMNS))
}

/** A long example is continued as a shell wants it. */
function exampleLines(example: string): string[] {
  return example.split('\n').map(line => `  ${line}`)
}
