// The manual page, casemate(1), from the table of commands, in mdoc(7). `node packages/cli/test/line/write-manual.ts` writes it.
import { fileURLToPath } from 'node:url'
import { type Command, type Flag, flagsOf, nameOf } from '../../src/command.ts'
import { allCommands, CHAPTERS } from '../../src/commands.ts'
import { wrap } from '../../src/terminal/marks.ts'

export const MANUAL = fileURLToPath(new URL('../../../../man/casemate.1', import.meta.url))

/** Of the page, not of the day on which it is made: the same table gives the same bytes. */
const DATE = 'November 30, 2026'

export async function manualPage(): Promise<string> {
  const commands = await allCommands()
  const chapters = await Promise.all(
    CHAPTERS.map(async ({ title, groups }) => [
      `.Ss ${text(title)}`,
      '.Bl -tag -width Ds',
      ...(await Promise.all(commands.filter(({ words }) => words[0] in groups).map(commandLines))).flat(),
      '.El',
    ]),
  )
  const lines = [
    '.\\" Made from the table of commands by packages/cli/test/line/write-manual.ts.',
    `.Dd ${DATE}`,
    '.Dt CASEMATE 1',
    '.Os',
    '.Sh NAME',
    '.Nm casemate',
    '.Nd prove what runs, release keys to it, keep the record',
    '.Sh SYNOPSIS',
    '.Nm',
    '.Ar command',
    '.Op Ar arguments',
    '.Op Fl Fl json',
    '.Sh DESCRIPTION',
    '.Nm',
    'verifies evidence of trusted execution environments, runs a broker that',
    'releases secrets to code that has proved itself, and keeps a record of each',
    'decision.',
    'Every command takes',
    '.Fl Fl json ,',
    'which prints its answer, also an error, as JSON, and',
    '.Fl Fl help .',
    '.Sh COMMANDS',
    ...chapters.flat(),
    '.Sh ENVIRONMENT',
    '.Bl -tag -width Ds',
    ...ENVIRONMENT.flatMap(([name, meaning]) => [`.It Ev ${name}`, ...filled(meaning)]),
    '.El',
    '.Sh EXIT STATUS',
    '0: done.',
    '1: refused; the command worked, and the answer is no.',
    '2: the command or a file is wrong.',
    '3: what it needs is unavailable; try again.',
    '70: a fault of',
    '.Nm',
    'itself.',
  ]
  return `${lines.join('\n')}\n`
}

/** Those that stand in no flag's place, or in that of flags of several commands; each setting of the broker has one as well. */
const ENVIRONMENT = [
  ['CASEMATE_SERVER', 'The broker, where --server is not given.'],
  ['CASEMATE_TOKEN', 'The administrator’s token, where --token-file is not given.'],
  ['CASEMATE_CA_FILE', 'Certificates to trust beside the well-known ones, where --ca-file is not given.'],
  ['CASEMATE_CONFIG', 'The file of settings, where --config is not given.'],
  ['CASEMATE_DATA_DIR', 'The data directory, where --data-dir is not given.'],
  ['CASEMATE_REQUIRE_CODE', 'If true, verify refuses without comparing code.'],
] as const

async function commandLines(command: Command): Promise<string[]> {
  const flags = Object.entries(await flagsOf(command)).filter(([name]) => name !== 'json' && name !== 'help')
  return [
    `.It Nm casemate ${nameOf(command)}${command.usage === '' ? '' : ` ${text(command.usage)}`}`,
    ...filled(`${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}.`),
    ...(command.notes === undefined ? [] : ['.Pp', ...sentences(command.notes)]),
    ...(flags.length === 0 ? [] : ['.Bl -tag -width Ds', ...flags.flatMap(flagLines), '.El']),
    ...(command.examples.length === 0 ? [] : exampleLines(command.examples)),
  ]
}

function flagLines([name, { value, summary, multiple }]: readonly [string, Flag]): string[] {
  const argument = value === undefined ? '' : ` Ar ${text(value)}`
  return [`.It Fl Fl ${text(name)}${argument}${multiple === true ? ' No ...' : ''}`, ...filled(summary)]
}

/** Each on a line of its own, as mdoc wants them. */
function sentences(notes: readonly string[]): string[] {
  return notes
    .join(' ')
    .split(/(?<=[.!?]) +(?=[A-Z0-9])/)
    .flatMap(filled)
}

function exampleLines(examples: readonly string[]): string[] {
  const lines = examples.flatMap(example => example.split('\n'))
  return ['.Bd -literal -offset indent', ...lines.map(text), '.Ed']
}

/** Filled anew when it is shown; lines as long as those who read the source want them, who count a quotation mark as seven. */
function filled(plain: string): string[] {
  return wrap(escaped(plain), MAX_LINE).map(guarded)
}

const MAX_LINE = 68

/** As roff shows it: a backslash, a hyphen that can be pasted, and a line that would be a request. */
function text(plain: string): string {
  return guarded(escaped(plain))
}

function escaped(plain: string): string {
  return plain.replaceAll('\\', '\\e').replaceAll('-', '\\-')
}

function guarded(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line
}
