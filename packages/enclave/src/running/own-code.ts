// Code of this program for a thread or a process of its own. Where the program is one executable (Node's single executable
// applications), its files are seen by its first thread alone: a thread is given the code itself, and a process is this
// executable once more, told which of its code it is to be.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { isSea } from 'node:sea'
import { fileURLToPath } from 'node:url'

/** The first argument that tells an executable which of its code to run in the command's place. */
export const OWN_CODE = '--own-code='

/** For `new Worker`: of a module that imports nothing but what Node has, where this is an executable. */
export function threadCode(module: URL): URL {
  if (!isSea()) return module
  return new URL(`data:text/javascript;base64,${readFileSync(module).toString('base64')}`)
}

/** The program and its arguments, for `spawn`, by which Node runs a module with flags of its own. */
export function processCode(flags: readonly string[], module: URL): readonly [string, ...string[]] {
  const path = fileURLToPath(module)
  return isSea()
    ? executable(process.execPath, flags, [`${OWN_CODE}${basename(path)}`])
    : [process.execPath, ...flags, path]
}

/** The arguments of this program once more, for `execve`; the second of `argv` is what it was started as. */
export function programAgain(
  flags: readonly string[],
  [, program = '', ...args]: readonly string[],
): string[] {
  return isSea() ? [...executable(program, flags, args)] : [process.execPath, ...flags, program, ...args]
}

/** An executable takes all else for its own arguments. */
function executable(
  program: string,
  flags: readonly string[],
  args: readonly string[],
): readonly [string, ...string[]] {
  return [program, ...(flags.length === 0 ? [] : [`--node-options=${flags.join(' ')}`]), ...args]
}
