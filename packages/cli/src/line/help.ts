// The help, from the table: all commands, one group, or one command with its flags and examples.

import { nearest } from '@casemate/evidence/nearest'
import { type Command, type Flag, type Flags, flagsOf, nameOf } from '../command.ts'
import { CHAPTERS, type Chapter, commandNames, commandsOf, FIRST_WORDS } from '../commands.ts'
import { CliError } from '../failure/cli-error.ts'
import { wrap } from '../terminal/marks.ts'
import type { Palette } from '../terminal/terminal.ts'

/** The help for what was asked. @throws {CliError} unknown-command */
export async function helpFor(words: readonly string[], palette: Palette): Promise<string[]> {
  const [first] = words
  if (first === undefined) return overview(palette)
  const group = await commandsOf(first)
  const exact = group.find(command => nameOf(command) === words.join(' '))
  if (exact !== undefined) return commandHelp(exact, await flagsOf(exact), palette)
  if (group.length > 0 && words.length === 1) return groupHelp(first, group, palette)
  const near = nearest(words.join(' '), [...commandNames(), ...FIRST_WORDS])
  throw new CliError('unknown-command', `there is no command ${words.join(' ')}`, {
    hint: near === null ? 'casemate --help' : `did you mean: casemate help ${near}`,
  })
}

function overview(palette: Palette): string[] {
  const lines = [
    `${palette.bold('casemate')}  prove what runs, release keys to it, keep the record`,
    '',
    'Usage: casemate COMMAND [ARGUMENTS] [--json]',
  ]
  const chapters = CHAPTERS.map(({ title, groups }) => [title, overviewRows(groups)] as const)
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
function overviewRows(groups: Chapter['groups']): Rows {
  return Object.entries(groups).map(([first, { verbs, summary }]) => [
    verbs.length === 0 ? first : `${first} ${verbs.join('|')}`,
    summary,
  ])
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
