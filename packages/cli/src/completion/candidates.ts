// What could stand at the end of a command line that is being typed, from the table of commands. A shell asks for it by a
// word that no command has; whatever is wrong with the line, the answer is nothing, never an error.

import { type Call, type Command, type Flags, flagsOf } from '../command.ts'
import { CHAPTERS, commandsOf, FIRST_WORDS } from '../commands.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { namesOf } from './names.ts'
import { type Takes, takenByArgument, takenByFlag } from './takes.ts'

/** A word with what it is for. */
export type Candidate = readonly [word: string, summary: string]

/** Words, or what a shell finds itself. */
export type Candidates = readonly Candidate[] | 'files' | 'directories'

/** The last of the words is the one that is being typed; it may be empty. */
export async function candidatesFor(words: readonly string[], terminal: Terminal): Promise<Candidates> {
  const typed = words.slice(0, -1)
  const current = words.at(-1) ?? ''
  const [first, second] = typed
  if (first === undefined) return startingWith(current, [...firstWords(), ['help', 'say more of a command']])
  if (first === 'help') return candidatesOfHelp(typed.slice(1), current)
  const group = await commandsOf(first)
  const command = group.find(one => one.words.every((word, index) => typed[index] === word))
  if (command !== undefined) return candidatesOf(command, typed, current, terminal)
  return second === undefined ? startingWith(current, verbsOf(group)) : []
}

function firstWords(): readonly Candidate[] {
  return CHAPTERS.flatMap(({ groups }) =>
    Object.entries(groups).map(([word, { summary }]): Candidate => [word, summary]),
  )
}

function verbsOf(group: readonly Command[]): readonly Candidate[] {
  return group.flatMap(({ words: [, verb], summary }) =>
    verb === undefined ? [] : [[verb, summary] as const],
  )
}

async function candidatesOfHelp(typed: readonly string[], current: string): Promise<Candidates> {
  const [first, second] = typed
  if (first === undefined) return startingWith(current, firstWords())
  return second === undefined && FIRST_WORDS.includes(first)
    ? startingWith(current, verbsOf(await commandsOf(first)))
    : []
}

/** A command line as far as it is typed. */
interface Line {
  readonly given: ReadonlyMap<string, string>
  readonly positionals: readonly string[]
  /** A flag whose value comes next. */
  readonly open: string | null
  /** After `--`, or where what follows is another command's. */
  readonly isClosed: boolean
}

async function candidatesOf(
  command: Command,
  typed: readonly string[],
  current: string,
  terminal: Terminal,
): Promise<Candidates> {
  const flags = await flagsOf(command)
  const line = readLine(typed.slice(command.words.length), flags, command)
  if (line.isClosed && command.endsWithCommand === true) return 'files'
  const valueOf = (takes: Takes | null, beginning: string): Promise<Candidates> =>
    valuesOf(takes, beginning, callOf(line, terminal))
  if (line.open !== null) return valueOf(takenByFlag(line.open, flags[line.open] ?? { summary: '' }), current)
  const [, name = '', beginning = ''] = /^--([^=]+)=(.*)$/.exec(current) ?? []
  const assigned = Object.hasOwn(flags, name) ? flags[name] : undefined
  if (assigned !== undefined)
    return prefixed(`--${name}=`, await valueOf(takenByFlag(name, assigned), beginning))
  const isFull = line.positionals.length >= command.maximum
  if (!line.isClosed && (current.startsWith('-') || (isFull && current === ''))) {
    return startingWith(current, flagsLeft(flags, line.given))
  }
  return valueOf(takenByArgument(command, line.positionals.length), current)
}

function readLine(words: readonly string[], flags: Flags, { endsWithCommand }: Command): Line {
  const given = new Map<string, string>()
  const positionals: string[] = []
  let open: string | null = null
  let isClosed = false
  for (const word of words) {
    const [, name = '', value] = /^--([^=]+)(?:=(.*))?$/.exec(word) ?? []
    if (open !== null) {
      given.set(open, word)
      open = null
    } else if (isClosed) positionals.push(word)
    else if (word === '--') isClosed = true
    else if (Object.hasOwn(flags, name)) {
      given.set(name, value ?? '')
      if (value === undefined && flags[name]?.value !== undefined) open = name
    } else {
      positionals.push(word)
      if (endsWithCommand === true) isClosed = true
    }
  }
  return { given, positionals, open, isClosed }
}

function callOf({ given, positionals }: Line, terminal: Terminal): Call {
  return {
    positionals,
    option: name => given.get(name) ?? null,
    options: name => [given.get(name) ?? []].flat(),
    given: name => given.has(name),
    terminal,
  }
}

async function valuesOf(takes: Takes | null, beginning: string, call: Call): Promise<Candidates> {
  if (takes === null || takes === 'anything') return []
  if (takes === 'files' || takes === 'directories') return takes
  const words = typeof takes === 'string' ? await namesOf(takes, call) : takes
  return startingWith(
    beginning,
    words.map(word => [word, '']),
  )
}

function flagsLeft(flags: Flags, given: ReadonlyMap<string, string>): readonly Candidate[] {
  return Object.entries(flags)
    .filter(([name, { multiple }]) => multiple === true || !given.has(name))
    .map(([name, { summary }]) => [`--${name}`, summary])
}

function startingWith(beginning: string, candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.filter(([word]) => word.startsWith(beginning))
}

/** What a shell finds itself it finds without the flag. */
function prefixed(prefix: string, candidates: Candidates): Candidates {
  if (typeof candidates === 'string') return candidates
  return candidates.map(([word, summary]) => [prefix + word, summary])
}
