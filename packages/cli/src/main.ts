// The command: parse, run, print, and say by the exit code how it went.

import { setImmediate } from 'node:timers/promises'
import { CliError } from './failure/cli-error.ts'
import type { Failure } from './failure/failure.ts'
import { failureOf } from './failure/failure-of.ts'
import { helpFor } from './line/help.ts'
import { parseCommandLine, wantsJson } from './line/parse.ts'
import { checkVariables } from './line/variables.ts'
import { jsonLines } from './terminal/printable.ts'
import { openTerminal, paletteOf, type Streams, type Terminal } from './terminal/terminal.ts'
import { version } from './terminal/version.ts'

/** Runs one command line with the process’s own streams, and returns its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const failed = unwritten(process.stdout)
  // What cannot be said cannot be said: it ends neither a command nor a server.
  process.stderr.on('error', () => undefined)
  const exitCode = await run(argv, process)
  // A write that failed is heard of in the next turn.
  await setImmediate()
  const error = failed()
  if (error === null || exitCode !== 0) return exitCode
  const failure = failureOf(error)
  report(failure, openTerminal(process, false), process)
  return failure.exitCode
}

/** Gives the error by which an answer is not where it should be, once there is one and nobody else has dealt with it. */
function unwritten(stdout: NodeJS.WritableStream): () => CliError | null {
  let found: CliError | null = null
  stdout.on('error', (cause: NodeJS.ErrnoException) => {
    // `casemate log show | head`: a reader that has seen enough is no error.
    if (cause.code === 'EPIPE' || stdout.listenerCount('error') > 1) return
    const message = `the answer cannot be written to standard output (${cause.code})`
    const hint = 'is there room where it goes, and may this user write there?'
    found ??= new CliError('file-not-writable', message, { hint, cause })
  })
  return () => found
}

/** Runs one command line, and returns its exit code. */
export async function run(argv: readonly string[], streams: Streams): Promise<number> {
  const terminal = openTerminal(streams, wantsJson(argv))
  try {
    const request = await parseCommandLine(argv)
    switch (request.kind) {
      case 'help':
        await printHelp(request.words, terminal)
        return 0
      case 'version':
        terminal.print(terminal.json ? jsonLines({ version: version() }) : [`casemate ${version()}`])
        return 0
      case 'complete': {
        const { answerShell } = await import('./completion/answer.ts')
        await answerShell(request.words, terminal)
        return 0
      }
      case 'run': {
        await checkVariables(terminal.env)
        const answer = await request.command.run({ ...request.values, terminal })
        if (terminal.json) terminal.print(jsonLines(answer.json))
        else if (answer.bytes !== undefined) writeOctets(answer.bytes, terminal)
        else terminal.print(answer.lines)
        return answer.exitCode
      }
      default:
        return request satisfies never
    }
  } catch (error) {
    const failure = failureOf(error)
    report(failure, terminal, streams)
    return failure.exitCode
  }
}

async function printHelp(words: readonly string[], terminal: Terminal): Promise<void> {
  const lines = await helpFor(words, terminal.palette)
  terminal.print(terminal.json ? jsonLines({ help: lines }) : lines)
}

/** As they are; on a screen with a line end, so that the prompt stands alone. */
function writeOctets(bytes: Uint8Array, terminal: Terminal): void {
  terminal.writeBytes(bytes)
  if (terminal.columns !== null) terminal.print([''])
}

function report(failure: Failure, terminal: Terminal, streams: Streams): void {
  if (terminal.json) {
    const { exitCode, ...error } = failure
    terminal.print(jsonLines({ error: { ...error, exitCode } }))
    return
  }
  const { red, dim } = paletteOf(streams.stderr)
  terminal.tell(`${red(failure.code)}: ${failure.message}`)
  for (const line of failure.problems ?? failure.trace ?? []) terminal.note(`  ${line}`)
  // A list of problems has said each with what was wanted, what was there, and its hint.
  const isSaid = (text: string): boolean => failure.problems?.some(line => line.includes(text)) ?? false
  const { expected, got, hint } = failure
  if (expected !== undefined && !isSaid(expected)) terminal.note(`  ${dim('expected')} ${expected}`)
  if (got !== undefined && !isSaid(got)) terminal.note(`  ${dim('got')}      ${got}`)
  if (hint !== undefined && !isSaid(hint)) terminal.note(`hint: ${hint}`)
}
