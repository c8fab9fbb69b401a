// Code of this program for a thread or a process of its own. Where the program is one executable (Node's single executable
// applications), its files are seen by its first thread alone: a thread is given the code itself, and a process is this
// executable once more, told which of its code it is to be.
import { readFileSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { basename, dirname } from 'node:path'
import { isSea } from 'node:sea'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

/** The first argument that tells an executable which of its code to run in the command's place. */
export const OWN_CODE = '--own-code='

/** For `new Worker`: of a module that imports nothing but what Node has, where this is an executable. */
export function threadCode(module: URL): URL {
  if (!isSea()) return module
  return new URL(`data:text/javascript;base64,${readFileSync(module).toString('base64')}`)
}

/** For `new Worker`: where this program keeps compiled code, if it does, and nothing else. A thread keeps any only if told so here. */
export function threadEnvironment(): Readonly<Record<string, string>> {
  const directory = getCompileCacheDir()
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) }
}

/** What starts a program, for `spawn` and `execve`. */
export interface OwnProgram {
  /** The program and its arguments. */
  readonly line: readonly [string, ...string[]]
  /** An executable takes flags of Node from here, and never from its arguments: those may be what others named. */
  readonly env: Readonly<Record<string, string>>
}

/** Of the process by which Node runs a module with flags of its own, which are all that it is told. */
export function processCode(flags: readonly string[], module: URL): OwnProgram {
  const path = fileURLToPath(module)
  if (!isSea()) return { line: [process.execPath, ...flags, path], env: {} }
  const ofEngine = flags.filter(isOfEngine)
  return {
    line: [process.execPath, `${OWN_CODE}${basename(path)}`, ...ofEngine],
    env: optionsOf(flags.filter(flag => !isOfEngine(flag))),
  }
}

/** Sets those that an executable cannot be started with, as well as can be while it runs. Gives the others. */
export function flagsForStart(flags: readonly string[]): readonly string[] {
  if (!isSea()) return flags
  for (const flag of flags.filter(isOfEngine)) setFlagsFromString(flag)
  return flags.filter(flag => !isOfEngine(flag))
}

/** This program once more; the second of `argv` is what it was started as. */
export function programAgain(
  flags: readonly string[],
  [, program = '', ...args]: readonly string[],
  { NODE_OPTIONS = '' }: Readonly<Record<string, string | undefined>>,
): OwnProgram {
  return isSea()
    ? { line: [program, ...args], env: optionsOf([...flags, NODE_OPTIONS]) }
    : { line: [process.execPath, ...flags, program, ...args], env: {} }
}

/** Whether Node leaves it to V8 and takes it on a command line alone. */
function isOfEngine(flag: string): boolean {
  return !process.allowedNodeEnvironmentFlags.has(flag.replace(/=.*/, ''))
}

function optionsOf(flags: readonly string[]): OwnProgram['env'] {
  const options = flags.join(' ').trim()
  return options === '' ? {} : { NODE_OPTIONS: options }
}
