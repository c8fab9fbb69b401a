// A command is one row of the table that gives parsing, help, suggestions and JSON output.
// A command returns its answer as data together with the way to print it for a person, so that `--json`
// can never say something else than the text does.

import type { Terminal } from './terminal/terminal.ts'

/** One flag. Every flag has a long name only; there is one spelling to learn and to search for. */
export interface Flag {
  /** How the value is called in the help, e.g. `PATH`; absent for a switch. */
  readonly value?: string
  readonly summary: string
  /** What the value is, where its name in the help does not say it: one of these words, or a path. */
  readonly takes?: readonly string[] | 'files' | 'anything'
  /** May be given several times. */
  readonly multiple?: true
}

/** Flags by name, without dashes. */
export type Flags = Readonly<Record<string, Flag>>

/** The values of one invocation, as typed by the person. */
export interface Call {
  readonly positionals: readonly string[]
  /** The value of a flag, or null if it was not given. */
  readonly option: (name: string) => string | null
  /** All values of a flag that may be repeated. */
  readonly options: (name: string) => readonly string[]
  readonly given: (name: string) => boolean
  readonly terminal: Terminal
}

/** What a command has to say. */
export interface Answer {
  /** 0 done, 1 refused: the command worked, and the answer is no; of `run`, what it ran ended with. */
  readonly exitCode: number
  /** The whole answer as JSON data. */
  readonly json: unknown
  /** The same for a person, line by line. */
  readonly lines: readonly string[]
  /** Raw octets for stdout instead of lines, e.g. a secret. */
  readonly bytes?: Uint8Array
}

/** One command, e.g. `secret put`. */
export interface Command {
  /** The words that name it. */
  readonly words: readonly [string, ...string[]]
  /** One line, without a full stop. */
  readonly summary: string
  /** The positional arguments as the help prints them, e.g. `FILE...`. */
  readonly usage: string
  readonly minimum: number
  readonly maximum: number
  /** Its arguments are another command, whose flags are not ours. */
  readonly endsWithCommand?: true
  /** A function if they come from a part of the program that is loaded only when it is needed. */
  readonly flags: Flags | (() => Promise<Flags>)
  /** What a person may want to know beyond the summary. */
  readonly notes?: readonly string[]
  /** Abbreviations of the field that its answer uses. */
  readonly terms?: readonly (readonly [string, string])[]
  /** Each as it can be pasted into a shell. */
  readonly examples: readonly string[]
  readonly run: (call: Call) => Promise<Answer>
}

/** The flags of every command that speaks to a broker. */
export const SERVER_FLAGS = {
  server: { value: 'URL', summary: 'the broker; else $CASEMATE_SERVER, else http://127.0.0.1:8080' },
  'ca-file': {
    value: 'FILE',
    summary: 'certificates (PEM) to trust beside the well-known ones; else $CASEMATE_CA_FILE',
  },
  // Never the token itself: every process of the machine can read another's arguments.
  'token-file': {
    value: 'FILE',
    summary: 'administrator’s token; else $CASEMATE_TOKEN, else admin-token in the data directory',
  },
} as const satisfies Record<string, Flag>

/** The flags that every command has. */
export const COMMON_FLAGS = {
  json: { summary: 'print the answer, also an error, as JSON' },
  help: { summary: 'show this help' },
} as const satisfies Record<string, Flag>

/** A command's own flags and those that every command has. */
export async function flagsOf({ flags }: Command): Promise<Flags> {
  return { ...(typeof flags === 'function' ? await flags() : flags), ...COMMON_FLAGS }
}

/** The name as it is typed, e.g. `secret put`. */
export function nameOf(command: Command): string {
  return command.words.join(' ')
}
