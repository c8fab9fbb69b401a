// argv → a command and its values, strictly: an unknown word or flag, a missing or repeated value is a usage
// error that names the nearest thing known. Help is a value here, not an exit.

import { parseArgs } from 'node:util'
import { nearest } from '@casemate/evidence/nearest'
import { type Call, type Command, type Flag, type Flags, flagsOf, nameOf } from '../command.ts'
import { commandsOf, FIRST_WORDS } from '../commands.ts'
import { CliError } from '../failure/cli-error.ts'
import { QUESTION } from '../shells/scripts.ts'
import { shellWord } from '../typed/shell-word.ts'

/** What the person asked for. */
export type Request =
  | { readonly kind: 'help'; readonly words: readonly string[] }
  | { readonly kind: 'version' }
  /** A shell asks what could come after these words. */
  | { readonly kind: 'complete'; readonly words: readonly string[] }
  | { readonly kind: 'run'; readonly command: Command; readonly values: Values }

/** The parsed flags and arguments. */
export type Values = Pick<Call, 'positionals' | 'option' | 'options' | 'given'>

/** The words that a line can begin with. */
const KNOWN_WORDS: readonly string[] = [...FIRST_WORDS, 'help', 'version']

/** True where `--json` stands among the flags; also in a line that does not parse, so that its error is JSON too. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end === -1 ? argv.length : end).includes('--json')
}

/** Reads a command line. @throws {CliError} unknown-command, unknown-flag, flag-*, argument-* */
export async function parseCommandLine(argv: readonly string[]): Promise<Request> {
  const plain = withoutCommand(argv)
  if (plain !== null) return plain
  const [first = ''] = argv
  if (first.startsWith('-') && first !== '-') {
    throw new CliError('unknown-flag', `a command comes first, got ${first}`, { hint: 'casemate --help' })
  }
  const group = await commandsOf(first)
  if (group.length === 0) throw unknownCommand(first, nearest(first, KNOWN_WORDS), 'casemate --help')
  const command = findCommand(argv, group)
  if (command === null) return groupRequest(argv, group)
  const rest = argv.slice(command.words.length)
  const end = rest.indexOf('--')
  const flags = end === -1 ? rest : rest.slice(0, end)
  if (flags.includes('--help') || flags.includes('-h')) return { kind: 'help', words: command.words }
  return { kind: 'run', command, values: parseValues(rest, command, await flagsOf(command)) }
}

/** What needs none of the commands; null for everything else. */
function withoutCommand([first, ...rest]: readonly string[]): Request | null {
  if (first === undefined || first === '--help' || first === '-h') return { kind: 'help', words: [] }
  if (first === '--version' || first === '-V' || first === 'version') return { kind: 'version' }
  if (first === QUESTION) return { kind: 'complete', words: rest }
  return first === 'help' ? { kind: 'help', words: rest.filter(word => word !== '--json') } : null
}

/** The command that the first words name; null for a bare group such as `secret`. */
function findCommand(argv: readonly string[], commands: readonly Command[]): Command | null {
  return commands.find(command => command.words.every((word, index) => argv[index] === word)) ?? null
}

/** `casemate secret` alone shows the group; a word that is not known is refused with the nearest one. */
function groupRequest(argv: readonly string[], group: readonly Command[]): Request {
  const [first = '', second] = argv
  if (second === undefined) {
    const verbs = group.map(command => command.words[1]).join(', ')
    throw new CliError('argument-missing', `${first} needs one of: ${verbs}`, {
      hint: `casemate ${first} --help`,
    })
  }
  if (second === '--help' || second === '-h') return { kind: 'help', words: [first] }
  const verbs = group.flatMap(command => command.words.slice(1, 2))
  const near = nearest(second, verbs)
  throw unknownCommand(`${first} ${second}`, near && `${first} ${near}`, `casemate ${first} --help`)
}

function unknownCommand(typed: string, near: string | null, help: string): CliError {
  return new CliError('unknown-command', `there is no command ${typed}`, {
    hint: near === null ? help : `did you mean: casemate ${near}`,
  })
}

function parseValues(argv: readonly string[], command: Command, flags: Flags): Values {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [
      name,
      { type: flag.value === undefined ? 'boolean' : 'string', multiple: true } as const,
    ]),
  )
  const parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: false, tokens: true })
  const given = new Map<string, string[]>()
  for (const token of parsed.tokens) {
    if (token.kind !== 'option') continue
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined
    if (flag === undefined) throw unknownFlag(token.rawName, flags, command)
    checkValue(token.rawName, flag, token)
    const values = given.get(token.name) ?? []
    if (values.length > 0 && flag.multiple === undefined) {
      throw new CliError('flag-repeated', `${token.rawName} is given twice, want it once`)
    }
    given.set(token.name, [...values, token.value ?? ''])
  }
  checkPositionals(parsed, command, flags)
  return {
    positionals: parsed.positionals,
    given: name => given.has(name),
    option: name => given.get(name)?.at(-1) ?? null,
    options: name => given.get(name) ?? [],
  }
}

function unknownFlag(typed: string, flags: Flags, command: Command): CliError {
  // Not the contrary of what was meant, which is no further from a slip of it.
  const contrary = Object.hasOwn(flags, 'online') ? ['offline'] : []
  const near = nearest(typed.replace(/^-+/, ''), [...contrary, ...Object.keys(flags)])
  if (near !== null && contrary.includes(near)) {
    return new CliError('unknown-flag', `${nameOf(command)} has no flag ${typed}`, {
      hint: 'nothing is fetched without --online',
    })
  }
  const help =
    command.endsWithCommand === true
      ? 'flags of the command itself come after --'
      : `casemate ${nameOf(command)} --help`
  return new CliError('unknown-flag', `${nameOf(command)} has no flag ${typed}`, {
    hint: near === null ? help : `did you mean: --${near}`,
  })
}

function checkValue(
  typed: string,
  flag: Flag,
  token: { readonly value: string | undefined; readonly inlineValue: boolean | undefined },
): void {
  if (flag.value === undefined) {
    if (token.value === undefined) return
    throw new CliError('flag-value-unwanted', `${typed} is a switch, got the value ${token.value}`)
  }
  // `--at --json` is a forgotten value more often than a value that begins with two dashes.
  const forgotten = token.value === undefined || (token.inlineValue !== true && /^--?[a-z]/.test(token.value))
  if (!forgotten) return
  throw new CliError('flag-value-missing', `${typed} needs a value, ${flag.value}`, {
    hint: `${typed} ${flag.value}: ${flag.summary}`,
  })
}

interface Parsed {
  readonly positionals: readonly string[]
  readonly tokens: readonly {
    readonly kind: string
    readonly index: number
    readonly name?: string
    readonly value?: string | undefined
  }[]
}

function checkPositionals({ positionals, tokens }: Parsed, command: Command, flags: Flags): void {
  const usage = `casemate ${nameOf(command)} ${command.usage}`.trimEnd()
  if (positionals.length < command.minimum) {
    throw new CliError('argument-missing', `${nameOf(command)} needs ${command.usage}`, { hint: usage })
  }
  const extra = positionals[command.maximum]
  if (extra === undefined) return
  const before = flagBefore(tokens, command.maximum)
  const isMeant = before !== null && flags[before]?.multiple !== undefined
  throw new CliError('argument-unexpected', `${nameOf(command)} does not take ${extra}`, {
    hint: isMeant ? `each needs the flag before it: --${before} ${shellWord(extra)}` : usage,
  })
}

/** The last flag before an argument: one that may be repeated was meant to have it as well. */
function flagBefore(tokens: Parsed['tokens'], argument: number): string | null {
  const at = tokens.filter(({ kind }) => kind === 'positional')[argument]?.index ?? -1
  const last = tokens.findLast(token => token.kind === 'option' && token.index < at)
  return last?.value === undefined ? null : (last.name ?? null)
}
